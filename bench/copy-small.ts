/** 100 images that share most of their layers: far away, near, and once more with nothing changed. */
import { cp } from 'node:fs/promises';
import { scratchFolder, type RegistryServer } from '../tools/servers.js';
import type { Workshop } from './copy.js';
import type { Case, Contender, Figure, PeerName } from './support/bench.js';
import { copyContender, copyEach, copyList, type Errand, type Work } from './support/copy-work.js';
import { pushImages, smallImages } from './support/images.js';
import type { Peer } from './support/peers.js';
import { clientCpu, wall } from './support/quantities.js';

const imageCount = 100;
const imagesAtOnce = 8;
const ours = `kuik x${imagesAtOnce}`;
const goalRttMs = 20;

/** The registry with the images, filled when the first case wants it. */
export type Shelf = () => Promise<Pick<Work, 'source' | 'errands'>>;

export function openShelf({ registries, say }: Workshop): Shelf {
  let filled: ReturnType<Shelf> | undefined;
  const fill: Shelf = async () => {
    say(`making ${imageCount} small images`);
    const source = await registries.open('source');
    return { source, errands: (await pushImages(source, smallImages(imageCount))).map((image): Errand => ({ image })) };
  };
  return () => (filled ??= fill());
}

/** G1 and G2: far away. */
export async function smallCase({ rttMs, peers }: Workshop, shelf: Shelf): Promise<Case> {
  const work = { ...(await shelf()), rttMs };
  const goal = goalAt(rttMs);
  const wide = named(peers, 'crane', 'regctl');
  return {
    name: 'small',
    title: `${imageCount} images of 10 layers of 10 KiB, 6 of them shared by all; ${rttMs} ms round trip to both registries`,
    contenders: [
      kuikContender(work),
      ...named(peers, 'crane').map((peer) => copyContender({ name: peer.name, ...work, copy: copyEach(peer, 1) })),
      ...wide.map((peer) => copyContender({ name: `${peer.name} x${imagesAtOnce}`, ...work, copy: copyEach(peer, imagesAtOnce) })),
    ],
    figures: [
      ...named(peers, 'crane').map(({ name }): Figure => ({ as: 'ratio', quantity: wall, contender: ours, peer: name, ...goal('G1', 0.08) })),
      ...wide.map(({ name }): Figure => ({ as: 'ratio', quantity: wall, contender: ours, peer: `${name} x${imagesAtOnce}`, ...goal('G2', 0.4) })),
      ...wide.map(({ name }): Figure => ({ as: 'ratio', quantity: clientCpu, contender: ours, peer: `${name} x${imagesAtOnce}` })),
    ],
    conditions: conditionsAt(rttMs),
  };
}

/** G3: at no distance, where only the work itself is left. */
export async function smallNearCase({ peers }: Workshop, shelf: Shelf): Promise<Case> {
  const work = { ...(await shelf()), rttMs: 0 };
  return {
    name: 'small-near',
    title: 'the same images; 0 ms round trip to both registries',
    ...againstCraneInTurn(work, peers, { goal: 'G3', atMost: 0.45 }),
    conditions: conditionsAt(0),
  };
}

/** G8: the destination holds all of it already. */
export async function smallAgainCase({ rttMs, peers, registries }: Workshop, shelf: Shelf): Promise<Case> {
  const { source, errands } = await shelf();
  const destination = await registries.open('destination', { dir: await copyOf(source) });
  return {
    name: 'small-again',
    title: `the same images, all of them at the destination already; ${rttMs} ms round trip to both registries`,
    ...againstCraneInTurn({ source, errands, destination, rttMs }, peers, goalAt(rttMs)('G8', 0.03)),
    conditions: { ...conditionsAt(rttMs), unchanged: imageCount },
  };
}

/** The images of a registry as they lie on its disk. */
async function copyOf({ dir }: RegistryServer): Promise<string> {
  const copy = scratchFolder('destination');
  await cp(dir, copy, { recursive: true });
  return copy;
}

function againstCraneInTurn(work: Omit<Work, 'name' | 'copy'>, peers: readonly Peer[], goal: Pick<Figure, 'goal' | 'atMost'>): Pick<Case, 'contenders' | 'figures'> {
  const crane = named(peers, 'crane');
  return {
    contenders: [kuikContender(work), ...crane.map((peer) => copyContender({ name: peer.name, ...work, copy: copyEach(peer, 1) }))],
    figures: crane.flatMap(({ name }): readonly Figure[] => [
      { as: 'ratio', quantity: wall, contender: ours, peer: name, ...goal },
      { as: 'ratio', quantity: clientCpu, contender: ours, peer: name },
    ]),
  };
}

function kuikContender(work: Omit<Work, 'name' | 'copy'>): Contender {
  return copyContender({ name: ours, ...work, copy: copyList(imagesAtOnce) });
}

/** skopeo is compared where bytes are the work: 100 more copies of it would only take minutes. */
function named(peers: readonly Peer[], ...names: readonly PeerName[]): readonly Peer[] {
  return peers.filter(({ name }) => names.includes(name));
}

/** The goals are set for one distance; at another the ratios are only shown. */
function goalAt(rttMs: number): (goal: string, atMost: number) => Pick<Figure, 'goal' | 'atMost'> {
  return (goal, atMost) => (rttMs === goalRttMs ? { goal, atMost } : {});
}

function conditionsAt(rttMs: number): Case['conditions'] {
  return { images: imageCount, imagesAtOnce, layers: 10, sharedLayers: 6, layerBytes: 10 * 1024, rttMs };
}
