/**
 * Copies between two registries: `small`, 100 images that share most of their layers, far away; `large`, one image of 512 MiB.
 *
 * The source registry lives through the whole bench; each run gets a new, empty destination, and relays of its own where the
 * registries are far away.
 */
import { rm } from 'node:fs/promises';
import { startRegistry, type RegistryServer } from '../tools/servers.js';
import { pinnedVersion, programNamed } from '../tools/programs.js';
import type { Attempt, Bench, BenchOptions, Case, Contender, Figure, OpenBench } from './support/bench.js';
import { startDelayRelay } from './support/delay-relay.js';
import { expectImages, largeImage, pushImages, smallImages, type BenchImage } from './support/images.js';
import type { Launcher } from './support/measure.js';
import { findPeers, kuik, type Peer } from './support/peers.js';
import { atOnce } from './support/pool.js';

const imageCount = 100;
const imagesAtOnce = 8;

export const copyBench: Bench = { name: 'copy', open: openCopyBench };

async function openCopyBench(options: BenchOptions): Promise<OpenBench> {
  const { peers, leftOut } = await findPeers(options.peers);
  const source = await startRegistry({ name: 'source' });
  const makers: Readonly<Record<string, () => Promise<Case>>> = { small: () => smallCase(source, peers, options), large: () => largeCase(source, peers, options) };
  const cases: Case[] = [];
  for (const [name, make] of Object.entries(makers)) if (options.cases?.includes(name) ?? true) cases.push(await make());

  const registryVersion = pinnedVersion(programNamed('registry'));
  return {
    cases,
    versions: { registry: registryVersion, ...Object.fromEntries(peers.map(({ name, version }) => [name, version])) },
    leftOut,
    close: async () => {
      await source.stop();
      await rm(source.dir, { recursive: true, force: true });
    },
  };
}

async function smallCase(source: RegistryServer, peers: readonly Peer[], { rttMs, say }: BenchOptions): Promise<Case> {
  say(`making ${imageCount} small images`);
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
      { quantity: 'wallMs', ours, peer: 'crane', ...goal('G1', 0.08) },
      ...peers.map(({ name }): Figure => ({ quantity: 'wallMs', ours, peer: `${name} x${imagesAtOnce}`, ...goal('G2', 0.4) })),
      ...peers.map(({ name }): Figure => ({ quantity: 'cpuMs', ours, peer: `${name} x${imagesAtOnce}` })),
    ],
    conditions: { images: imageCount, imagesAtOnce, layers: 10, sharedLayers: 6, layerBytes: 10 * 1024, rttMs },
  };
}

async function largeCase(source: RegistryServer, peers: readonly Peer[], { say }: BenchOptions): Promise<Case> {
  say('making one image of 8 x 64 MiB');
  const copies = { source, images: await pushImages(source, [largeImage()]) };
  const ours = 'kuik';
  return {
    name: 'large',
    title: 'one image of 8 layers of 64 MiB; plain HTTP on loopback',
    contenders: [contender({ name: ours, ...copies, copy: copyOne }), ...peers.map((peer) => contender({ name: peer.name, ...copies, copy: copyEach(peer, 1) }))],
    // G4 is set on TLS, which is what registries speak; over plain HTTP the ratios are only shown
    figures: peers.flatMap(({ name }) => (['wallMs', 'cpuMs', 'peakBytes'] as const).map((quantity): Figure => ({ quantity, ours, peer: name }))),
    conditions: { images: 1, layers: 8, layerBytes: 64 * 1024 * 1024, layersAtOnce: 4, tls: 'no' },
  };
}

/** One process for the whole list. */
async function copyList(launcher: Launcher, pairs: readonly Pair[]): Promise<void> {
  const list = pairs.map((pair) => `${pair.join(' ')}\n`).join('');
  await kuik(launcher, ['copy', '--from-file', '-', '--concurrency', String(imagesAtOnce)], list);
}

async function copyOne(launcher: Launcher, [pair]: readonly Pair[]): Promise<void> {
  await kuik(launcher, ['copy', ...(pair ?? [])]);
}

/** One process per image, as its users do it, so many at a time. */
function copyEach(peer: Peer, width: number): Work['copy'] {
  return (launcher, pairs) => atOnce(width, pairs, ([from, to]) => peer.copy(launcher, from, to));
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
  readonly copy: (launcher: Launcher, pairs: readonly Pair[]) => Promise<void>;
}

function contender(work: Work): Contender {
  return { name: work.name, prepare: () => prepareCopy(work) };
}

async function prepareCopy({ source, images, rttMs, copy }: Work): Promise<Attempt> {
  const destination = await startRegistry({ name: 'destination' });
  const relays = rttMs === undefined ? undefined : { source: await startDelayRelay({ port: source.port, rttMs }), destination: await startDelayRelay({ port: destination.port, rttMs }) };
  const [from, to] = [(relays?.source ?? source).address, (relays?.destination ?? destination).address];
  const pairs = images.map(({ name }): Pair => [`${from}/${name}`, `${to}/${name}`]);
  return {
    run: (launcher) => copy(launcher, pairs),
    traffic: () => Object.fromEntries(Object.entries(relays ?? {}).map(([side, relay]) => [side, relay.traffic()])),
    check: () => expectImages(destination, images),
    clean: async () => {
      await Promise.all([relays?.source.close(), relays?.destination.close()]);
      await destination.stop();
      await rm(destination.dir, { recursive: true, force: true });
    },
  };
}
