/**
 * Availability checks over TLS: which digest does each of 100 tags have? Ours is a process that asks through the registry port,
 * with the client of a manager; the peer is a process per image, as its users check.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { scratchFolder, type RegistryServer } from '../tools/servers.js';
import { projectRoot } from '../tools/programs.js';
import type { Attempt, Bench, BenchOptions, Case, Contender, Figure, OpenBench } from './support/bench.js';
import { chosenCases } from './support/cases.js';
import { makeTlsFiles, type TlsFiles } from './support/certificate.js';
import type { Checked, Manner } from './support/check-images.js';
import { startDelayRelay } from './support/delay-relay.js';
import { median } from './support/figures.js';
import { pushImages, smallImages, type BenchImage } from './support/images.js';
import type { Launcher } from './support/measure.js';
import { findPeers, noCredentials, versionsOf, type Peer } from './support/peers.js';
import { clientCpu, reading, wall } from './support/quantities.js';
import { Registries } from './support/registries.js';
import { countTraffic } from './support/traffic.js';

const imageCount = 100;
const goalRttMs = 20;
const perCheck = reading('median of a check', 'ms');

export const checkBench: Bench = { name: 'check', open: openCheckBench };

async function openCheckBench(options: BenchOptions): Promise<OpenBench> {
  const { peers, leftOut } = await findPeers(options.peers.filter((name) => name !== 'skopeo')); // it reads the whole image to tell its digest
  const registries = new Registries();
  return {
    cases: chosenCases({ check: () => checkCase(options, peers, registries) }, options.cases),
    versions: versionsOf(peers),
    leftOut,
    close: () => registries.discard(),
  };
}

async function checkCase({ rttMs, say }: BenchOptions, peers: readonly Peer[], registries: Registries): Promise<Case> {
  say(`making ${imageCount} small images`);
  const tls = await makeTlsFiles();
  const registry = await registries.open('source', { tls });
  const place = { registry, tls, rttMs, images: await pushImages(registry, smallImages(imageCount), tls.caFile) };
  const [together, inTurn] = ['kuik, at once', 'kuik, in turn'];
  const goal = (atMost: number): Pick<Figure, 'goal' | 'atMost'> => (rttMs === goalRttMs ? { goal: 'G7', atMost } : {});
  return {
    name: 'check',
    title: `${imageCount} tags checked over TLS; ${rttMs} ms round trip to the registry`,
    contenders: [
      contender({ name: together, ...place, check: checkOurs('together', tls) }),
      contender({ name: inTurn, ...place, check: checkOurs('in-turn', tls) }),
      ...peers.flatMap(({ name, digest }) => (digest === undefined ? [] : [contender({ name, ...place, check: checkEach(digest, tls) })])),
    ],
    figures: [
      { as: 'amount', quantity: perCheck, contender: inTurn },
      ...peers.flatMap(({ name: peer }): readonly Figure[] => [
        { as: 'amount', quantity: perCheck, contender: peer },
        { as: 'ratio', quantity: perCheck, contender: inTurn, peer, ...(peer === 'crane' && goal(0.33)) },
        { as: 'ratio', quantity: wall, contender: together, peer, ...(peer === 'crane' && goal(0.05)) },
        { as: 'ratio', quantity: clientCpu, contender: together, peer },
      ]),
    ],
    conditions: { images: imageCount, tls: 'yes', rttMs },
  };
}

interface CheckWork {
  readonly name: string;
  readonly registry: RegistryServer;
  readonly tls: TlsFiles;
  readonly rttMs: number;
  readonly images: readonly BenchImage[];
  readonly check: (launcher: Launcher, host: string, images: readonly string[]) => Promise<Checked>;
}

function contender(work: CheckWork): Contender {
  return { name: work.name, prepare: () => prepareChecks(work) };
}

async function prepareChecks({ registry, tls, rttMs, images, check }: CheckWork): Promise<Attempt> {
  const relay = await startDelayRelay({ port: registry.port, rttMs });
  const traffic = countTraffic({ registry: { registry, relay } }, tls);
  let checked: Checked | undefined;
  return {
    run: async (launcher) => void (checked = await check(launcher, relay.address, images.map(({ name }) => `${relay.address}/${name}`))),
    traffic,
    readings: () => ({ [perCheck.name]: median([...(checked?.latenciesMs ?? [])].sort((a, b) => a - b)) }),
    check: async () => expectDigests(images, checked),
    clean: () => relay.close(),
  };
}

function expectDigests(images: readonly BenchImage[], checked: Checked | undefined): void {
  images.forEach(({ name, digest }, at) => {
    const answer = checked?.digests[at];
    if (answer !== digest) throw new Error(`${name} was seen as ${answer ?? 'nothing'} instead of ${digest}`);
  });
}

/** A check takes what it takes inside the process: its start is part of the wall time only. */
function checkOurs(manner: Manner, tls: TlsFiles): CheckWork['check'] {
  const program = join(projectRoot(), 'dist', 'bench', 'support', 'check-images.js');
  return async (launcher, host, images) => {
    const out = await launcher.run(process.execPath, [program, configFor(host, tls), manner], { input: images.join('\n'), env: noCredentials() });
    return JSON.parse(out) as Checked;
  };
}

function configFor(host: string, { caFile }: TlsFiles): string {
  const file = join(scratchFolder('config'), 'config.yaml');
  writeFileSync(file, JSON.stringify({ registries: { items: { [host]: { caFile } } } })); // JSON is YAML
  return file;
}

/** A check is a process, from its start to its end. */
function checkEach(digest: NonNullable<Peer['digest']>, { caFile }: TlsFiles): CheckWork['check'] {
  return async (launcher, _host, images) => {
    const digests: string[] = [];
    const latenciesMs: number[] = [];
    for (const image of images) {
      const start = performance.now();
      digests.push(await digest(launcher, image, caFile));
      latenciesMs.push(performance.now() - start);
    }
    return { digests, latenciesMs };
  };
}
