/**
 * Copies between two registries: `small`, 100 images that share most of their layers, far away; `large` and `large-tls`, one image of 512 MiB.
 *
 * The source registries live through the whole bench; each run gets a new, empty destination, and relays of its own where the
 * registries are far away.
 */
import { rm } from 'node:fs/promises';
import { startRegistry, type RegistryServer } from '../tools/servers.js';
import { pinnedVersion, programNamed } from '../tools/programs.js';
import type { Attempt, Bench, BenchOptions, Case, Contender, Figure, OpenBench } from './support/bench.js';
import { makeTlsFiles, type TlsFiles } from './support/certificate.js';
import { startDelayRelay } from './support/delay-relay.js';
import { expectImages, largeImage, pushImages, smallImages, type BenchImage } from './support/images.js';
import type { Launcher } from './support/measure.js';
import { findPeers, kuik, type Peer } from './support/peers.js';
import { atOnce } from './support/pool.js';

const imageCount = 100;
const imagesAtOnce = 8;

export const copyBench: Bench = { name: 'copy', open: openCopyBench };

const makers = { small: smallCase, large: largeCase, 'large-tls': largeTlsCase } as const;

async function openCopyBench(options: BenchOptions): Promise<OpenBench> {
  const { peers, leftOut } = await findPeers(options.peers);
  const sources: RegistryServer[] = [];
  const openSource = async (tls?: TlsFiles): Promise<RegistryServer> => {
    const source = await startRegistry({ name: 'source', tls });
    sources.push(source);
    return source;
  };
  const cases: Case[] = [];
  for (const name of chosen(options.cases)) cases.push(await makers[name]({ ...options, peers, openSource }));

  return {
    cases,
    versions: { registry: pinnedVersion(programNamed('registry')), ...Object.fromEntries(peers.map(({ name, version }) => [name, version])) },
    leftOut,
    close: async () => {
      for (const source of sources) {
        await source.stop();
        await rm(source.dir, { recursive: true, force: true });
      }
    },
  };
}

type CaseName = keyof typeof makers;

/** What a case is made with. */
interface Workshop extends Pick<BenchOptions, 'rttMs' | 'say'> {
  readonly peers: readonly Peer[];
  readonly openSource: (tls?: TlsFiles) => Promise<RegistryServer>;
}

function chosen(names: readonly string[] | undefined): readonly CaseName[] {
  const all = Object.keys(makers) as CaseName[];
  const unknown = names?.find((name) => !all.some((each) => each === name));
  if (unknown !== undefined) throw new Error(`--case ${unknown}: known are ${all.join(', ')}`);
  return all.filter((name) => names?.includes(name) ?? true);
}

async function smallCase({ rttMs, say, peers, openSource }: Workshop): Promise<Case> {
  say(`making ${imageCount} small images`);
  const source = await openSource();
  const images = await pushImages(source, smallImages(imageCount));
  const ours = `kuik x${imagesAtOnce}`;
  const copies = { source, images, rttMs };
  // the goals are set for 20 ms; at another distance the ratios are only shown
  const goal = (name: string, atMost: number): Partial<Figure> => (rttMs === 20 ? { goal: name, atMost } : {});
  return {
    name: 'small',
    title: `${imageCount} images of 10 layers of 10 KiB, 6 of them shared by all; ${rttMs} ms round trip to both registries`,
    contenders: [
      contender({ name: ours, ...copies, copy: copyList }),
      ...peers.filter(({ name }) => name === 'crane').map((peer) => contender({ name: peer.name, ...copies, copy: copyEach(peer, 1) })),
      ...peers.map((peer) => contender({ name: `${peer.name} x${imagesAtOnce}`, ...copies, copy: copyEach(peer, imagesAtOnce) })),
    ],
    figures: [
      ...peers.filter(({ name }) => name === 'crane').map(({ name }): Figure => ({ quantity: 'wallMs', ours, peer: name, ...goal('G1', 0.08) })),
      ...peers.map(({ name }): Figure => ({ quantity: 'wallMs', ours, peer: `${name} x${imagesAtOnce}`, ...goal('G2', 0.4) })),
      ...peers.map(({ name }): Figure => ({ quantity: 'cpuMs', ours, peer: `${name} x${imagesAtOnce}` })),
    ],
    conditions: { images: imageCount, imagesAtOnce, layers: 10, sharedLayers: 6, layerBytes: 10 * 1024, rttMs },
  };
}

/** Over plain HTTP the ratios are only shown: G4 is set on TLS, which is what registries speak. */
function largeCase(workshop: Workshop): Promise<Case> {
  return largeCaseOver(undefined, workshop);
}

async function largeTlsCase(workshop: Workshop): Promise<Case> {
  return largeCaseOver(await makeTlsFiles(), workshop);
}

async function largeCaseOver(tls: TlsFiles | undefined, { say, peers, openSource }: Workshop): Promise<Case> {
  say('making one image of 8 x 64 MiB');
  const source = await openSource(tls);
  const copies = { source, images: await pushImages(source, [largeImage()], tls?.caFile), tls };
  const ours = 'kuik';
  const goals: Partial<Record<Figure['quantity'], Partial<Figure>>> = tls === undefined ? {} : { wallMs: { goal: 'G4', atMost: 0.95 }, cpuMs: { goal: 'G4', atMost: 1.15 } };
  return {
    name: tls === undefined ? 'large' : 'large-tls',
    title: `one image of 8 layers of 64 MiB; ${tls === undefined ? 'plain HTTP' : 'TLS'} on loopback`,
    contenders: [contender({ name: ours, ...copies, copy: copyOne(tls) }), ...peers.map((peer) => contender({ name: peer.name, ...copies, copy: copyEach(peer, 1, tls) }))],
    figures: peers.flatMap(({ name }) => (['wallMs', 'cpuMs', 'peakBytes'] as const).map((quantity): Figure => ({ quantity, ours, peer: name, ...(name === 'crane' && goals[quantity]) }))),
    conditions: { images: 1, layers: 8, layerBytes: 64 * 1024 * 1024, layersAtOnce: 4, tls: tls === undefined ? 'no' : 'yes' },
  };
}

/** One process for the whole list. */
async function copyList(launcher: Launcher, pairs: readonly Pair[]): Promise<void> {
  const list = pairs.map((pair) => `${pair.join(' ')}\n`).join('');
  await kuik(launcher, ['copy', '--from-file', '-', '--concurrency', String(imagesAtOnce)], list);
}

function copyOne(tls: TlsFiles | undefined): Work['copy'] {
  return async (launcher, pairs) => {
    for (const pair of pairs) await kuik(launcher, ['copy', ...pair, ...pair.flatMap((image) => (tls === undefined ? [] : ['--ca-file', `${image.slice(0, image.indexOf('/'))}=${tls.caFile}`]))]);
  };
}

/** One process per image, as its users do it, so many at a time. */
function copyEach(peer: Peer, width: number, tls?: TlsFiles): Work['copy'] {
  return (launcher, pairs) => atOnce(width, pairs, ([from, to]) => peer.copy(launcher, from, to, tls?.caFile));
}

/** Where from and where to, as the contender is told. */
type Pair = readonly [source: string, destination: string];

/** The copies one contender makes, and how. */
interface Work {
  readonly name: string;
  readonly source: RegistryServer;
  readonly images: readonly BenchImage[];
  /** milliseconds; without it the registries are asked directly, and nothing is counted */
  readonly rttMs?: number;
  readonly tls?: TlsFiles;
  readonly copy: (launcher: Launcher, pairs: readonly Pair[]) => Promise<void>;
}

function contender(work: Work): Contender {
  return { name: work.name, prepare: () => prepareCopy(work) };
}

async function prepareCopy({ source, images, rttMs, tls, copy }: Work): Promise<Attempt> {
  const destination = await startRegistry({ name: 'destination', tls });
  const relays = rttMs === undefined ? undefined : { source: await startDelayRelay({ port: source.port, rttMs }), destination: await startDelayRelay({ port: destination.port, rttMs }) };
  const [from, to] = [(relays?.source ?? source).address, (relays?.destination ?? destination).address];
  const pairs = images.map(({ name }): Pair => [`${from}/${name}`, `${to}/${name}`]);
  return {
    run: (launcher) => copy(launcher, pairs),
    traffic: () => Object.fromEntries(Object.entries(relays ?? {}).map(([side, relay]) => [side, relay.traffic()])),
    check: () => expectImages(destination, images, tls?.caFile),
    clean: async () => {
      await Promise.all([relays?.source.close(), relays?.destination.close()]);
      await destination.stop();
      await rm(destination.dir, { recursive: true, force: true });
    },
  };
}
