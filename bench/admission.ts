/**
 * Admission: how long does the API server wait? The webhook and whoever asks it are processes of their own; what is timed
 * is an answer over TLS on a connection that is open. Warm, everything is known and no registry is asked; cold, nothing is.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { request } from 'undici';
import { projectRoot } from '../tools/programs.js';
import { scratchFolder, type RegistryServer } from '../tools/servers.js';
import type { ServerFigures, ServerOptions } from './support/admission-server.js';
import type { Latencies, Load } from './support/admission-load.js';
import { heldImage, type Held } from './support/admission-world.js';
import type { Attempt, Bench, BenchOptions, Case, Contender, Figure, OpenBench } from './support/bench.js';
import { chosenCases } from './support/cases.js';
import { makeTlsFiles, type TlsFiles } from './support/certificate.js';
import { startDelayRelay, type DelayRelay } from './support/delay-relay.js';
import { pushImages, smallImages } from './support/images.js';
import type { Launcher } from './support/measure.js';
import { noCredentials, versionsOf } from './support/peers.js';
import { reading } from './support/quantities.js';
import { Registries } from './support/registries.js';

const held: Held = { pods: 50_000, rules: 500, images: 5_000 };
const sizes: Readonly<Record<string, Size>> = { '3k': { podBytes: 3_000, containers: 2, requests: 12_000 }, '40k': { podBytes: 40_000, containers: 3, requests: 4_000 }, '320k': { podBytes: 320_000, containers: 8, requests: 600 } };
interface Size {
  /** of a Pod as JSON */
  readonly podBytes: number;
  readonly containers: number;
  /** Pods in a run: a few seconds; a quarter over one connection */
  readonly requests: number;
}

/** As large as etcd takes a Pod; different ones, so that no engine remembers them. */
const maximal: Size = { podBytes: 1_400_000, containers: 32, requests: 1_000 };
const connectionCounts = [1, 32] as const;
const warmUps = 500;

const [ours, bare] = ['kuik', 'fastify alone'];
const latency = { p50: reading('median', 'ms'), p99: reading('p99', 'ms'), max: reading('longest', 'ms') };
const throughput = reading('answers in a second', 'count');
const memory = reading('memory of the server', 'bytes');
const serverCpu = reading('CPU of the server', 'ms');
const lateness = reading('lateness of the event loop, p99', 'ms');

export const admissionBench: Bench = { name: 'admission', open: openAdmissionBench };

async function openAdmissionBench(options: BenchOptions): Promise<OpenBench> {
  const registries = new Registries();
  const warm = Object.entries(sizes).flatMap(([name, size]) => connectionCounts.map((connections) => [`${name}-${connections}`, async (): Promise<Case> => warmCase(`${name}-${connections}`, { ...size, requests: connections === 1 ? size.requests / 4 : size.requests }, connections)] as const));
  return {
    cases: chosenCases({ ...Object.fromEntries(warm), maximal: () => maximalCase(), cold: () => coldCase(options, registries) }, options.cases),
    versions: versionsOf([]),
    leftOut: [],
    close: () => registries.discard(),
  };
}

// --- warm

async function warmCase(name: string, { podBytes, containers, requests }: Size, connections: number): Promise<Case> {
  const tls = await makeTlsFiles();
  const images = Array.from({ length: podBytes > 1_000_000 ? 25 : 200 }, (_, pod) => Array.from({ length: containers }, (__, at) => heldImage((pod * 37 + at * 11) % held.images)));
  const work = { tls, load: { caFile: tls.caFile, connections, requests, podBytes, images } };
  return {
    name,
    title: `Pods of ${podBytes / 1000} KB with ${containers} images, ${connections} connections over TLS; ${held.pods} Pods, ${held.rules} rules, ${held.images} records in memory, no registry asked`,
    contenders: [
      contender({ name: ours, ...work, behind: { what: 'warm', held }, expect: (figures) => expectDecided(figures, requests * containers) }),
      contender({ name: bare, ...work, behind: { what: 'nothing' }, expect: () => undefined }),
    ],
    figures: [ours, bare].flatMap((who): readonly Figure[] => [latency.p50, latency.p99, throughput, memory].map((quantity) => ({ as: 'amount', quantity, contender: who }))).concat(
      [latency.p99, throughput, serverCpu].map((quantity) => ({ as: 'ratio', quantity, contender: ours, peer: bare })),
    ),
    conditions: { podBytes, containers, connections, requests, tls: 'yes', pods: held.pods, rules: held.rules, records: held.images },
  };
}

/** The row F9 of the fault table: while one Pod is parsed, everybody else waits. */
async function maximalCase(): Promise<Case> {
  const { title, figures, ...rest } = await warmCase('maximal', maximal, 4);
  return { ...rest, title: `the largest Pods: ${title}`, figures: [...figures, { as: 'amount', quantity: lateness, contender: ours, goal: 'F9', atMost: 50 }] };
}

/** What leaves decisions out is not fast, it is wrong. */
function expectDecided({ asked, reasons }: ServerFigures, containers: number): void {
  if (asked > 0) throw new Error(`registries were asked ${asked} times`);
  if (reasons['PlacePreferred'] !== containers) throw new Error(`${containers} containers were decided as ${JSON.stringify(reasons)}`);
}

// --- cold

const coldPods = 100;
const coldContainers = 3;
const coldConnections = 4;
const repository = 'cold/app';

/** Each Pod names images nobody has asked for: two mirrors and the origin are asked about each, all at once. */
async function coldCase({ rttMs, say }: BenchOptions, registries: Registries): Promise<Case> {
  say(`making ${coldPods * coldContainers} tags`);
  const registry = await registries.open('source');
  const tags = Array.from({ length: coldPods * coldContainers }, (_, at) => `v${at}`);
  await pushTags(registry, tags);
  const tls = await makeTlsFiles();
  const place = { registry, tls, rttMs, tags };
  const [answering, holed] = ['kuik, both mirrors answer', 'kuik, the first mirror swallows'];
  return {
    name: 'cold',
    title: `${coldPods} Pods, ${coldConnections} at a time, of ${coldContainers} images nobody knows, 2 mirrors each; ${rttMs} ms round trip to the registries`,
    contenders: [coldContender(answering, 'answers', place), coldContender(holed, 'swallows', place)],
    figures: [answering, holed].flatMap((who): readonly Figure[] => [
      { as: 'amount', quantity: latency.p50, contender: who },
      { as: 'amount', quantity: latency.p99, contender: who },
      { as: 'amount', quantity: latency.max, contender: who, goal: 'G10', atMost: 2_000 },
    ]),
    conditions: { pods: coldPods, containers: coldContainers, mirrors: 2, connections: coldConnections, rttMs, tls: 'yes' },
  };
}

interface ColdPlace {
  readonly registry: RegistryServer;
  readonly tls: TlsFiles;
  readonly rttMs: number;
  readonly tags: readonly string[];
}

function coldContender(name: string, first: 'answers' | 'swallows', { registry, tls, rttMs, tags }: ColdPlace): Contender {
  return {
    name,
    prepare: async () => {
      const [origin, second] = [await startDelayRelay({ port: registry.port, rttMs }), await startDelayRelay({ port: registry.port, rttMs })];
      const preferred = first === 'answers' ? await startDelayRelay({ port: registry.port, rttMs }) : await startHole();
      const images = Array.from({ length: coldPods }, (_, pod) => Array.from({ length: coldContainers }, (__, at) => `${origin.address}/${repository}:${tags[pod * coldContainers + at]}`));
      const config = join(scratchFolder('config'), 'config.yaml');
      writeFileSync(config, '{}');
      const attempt = await startAttempt({
        tls,
        behind: { what: 'cold', mirrors: [preferred.address, second.address], config },
        load: { caFile: tls.caFile, connections: coldConnections, requests: coldPods, podBytes: 3_000, images },
        warmUp: 0,
        expect: ({ reasons }) => {
          if (reasons['PlacePreferred'] !== coldPods * coldContainers) throw new Error(`decided as ${JSON.stringify(reasons)}`);
        },
      });
      const clean = async (): Promise<void> => {
        await attempt.clean();
        await Promise.all([origin, second, preferred].map((relay) => relay.close()));
      };
      return { ...attempt, clean };
    },
  };
}

/** One image, at the origin and at the mirrors, under many tags. */
async function pushTags(registry: RegistryServer, tags: readonly string[]): Promise<void> {
  const [spec] = smallImages(1);
  if (spec === undefined) return;
  for (const path of [repository, `m/${repository}`]) {
    await pushImages(registry, [{ ...spec, name: `${path}:${tags[0]}` }]);
    const url = `http://${registry.address}/v2/${path}/manifests`;
    const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
    const { headers, body } = await request(`${url}/${tags[0]}`, { headers: { accept } });
    const manifest = await body.text();
    for (const tag of tags) {
      const { statusCode, body: answer } = await request(`${url}/${tag}`, { method: 'PUT', headers: { 'content-type': String(headers['content-type']) }, body: manifest });
      await answer.dump();
      if (statusCode !== 201) throw new Error(`${path}:${tag}: status ${statusCode}`);
    }
  }
}

/** Accepts connections and never says anything. */
async function startHole(): Promise<Pick<DelayRelay, 'address' | 'close'>> {
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => void open.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

// --- both

interface Work extends ServerOptions {
  readonly load: Omit<Load, 'port'>;
  /** answers before anything counts */
  readonly warmUp?: number;
  readonly expect: (figures: ServerFigures) => void;
}

function contender({ name, ...work }: Work & { readonly name: string }): Contender {
  return { name, prepare: () => startAttempt(work) };
}

async function startAttempt({ tls, behind, load, warmUp = warmUps, expect }: Work): Promise<Attempt> {
  const server = fork(join(projectRoot(), 'dist', 'bench', 'support', 'admission-server.js'), [JSON.stringify({ tls, behind } satisfies ServerOptions)], { env: { ...process.env, ...noCredentials() } });
  const { port } = await messageOf<{ port: number }>(server);
  const ask = async (launcher: Pick<Launcher, 'run'>, requests: number): Promise<Latencies> =>
    JSON.parse(await launcher.run(process.execPath, [join(projectRoot(), 'dist', 'bench', 'support', 'admission-load.js')], { input: JSON.stringify({ ...load, port, requests } satisfies Load) })) as Latencies;
  const figures = (): Promise<ServerFigures> => {
    server.send('figures');
    return messageOf<ServerFigures>(server);
  };
  let seen: { readonly latencies: Latencies; readonly cost: ServerFigures } | undefined;
  return {
    run: async (launcher) => {
      if (warmUp > 0) await ask(launcher, warmUp);
      await figures(); // what it cost up to here
      const latencies = await ask(launcher, load.requests);
      seen = { latencies, cost: await figures() };
    },
    traffic: () => ({}),
    readings: () => readingsOf(seen),
    check: async () => {
      if (seen === undefined) throw new Error('nothing was asked');
      expect(seen.cost);
    },
    clean: async () => {
      const ended = once(server, 'exit');
      server.disconnect();
      await ended;
    },
  };
}

function readingsOf(seen: { readonly latencies: Latencies; readonly cost: ServerFigures } | undefined): Readonly<Record<string, number>> {
  if (seen === undefined) return {};
  const { latencies: { p50, p99, max, perSecond, histogram }, cost } = seen;
  return {
    [latency.p50.name]: p50,
    [latency.p99.name]: p99,
    [latency.max.name]: max,
    [throughput.name]: perSecond,
    [memory.name]: cost.peakBytes,
    [serverCpu.name]: cost.cpuMs,
    [lateness.name]: cost.loopDelayMs,
    ...Object.fromEntries(Object.entries(histogram).map(([upper, count]) => [`up to ${upper} ms`, count])),
  };
}

async function messageOf<T>(server: ChildProcess): Promise<T> {
  const [message] = (await Promise.race([once(server, 'message'), once(server, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with status ${String(code)}`)))])) as [T];
  return message;
}
