/** Few images whose bytes are the work: one of 512 MiB, over plain HTTP and over TLS, and one layer of 4 GiB beside a small one. */
import type { Workshop } from './copy.js';
import type { Case, Figure, PeerName } from './support/bench.js';
import { makeTlsFiles, type TlsFiles } from './support/certificate.js';
import { copyContender, copyEach, copyOne } from './support/copy-work.js';
import { largeImage, pushImages } from './support/images.js';
import { pushNoise } from './support/noise-image.js';
import { clientCpu, peakRss, wall, type Quantity } from './support/quantities.js';

const mib = 1024 * 1024;
const ours = 'kuik';

/** G5 and G6. Beside crane the ratios of plain HTTP are only shown: G4 is set on TLS, which is what registries speak. */
export function largeCase(workshop: Workshop): Promise<Case> {
  return largeCaseOver(undefined, workshop);
}

/** G4, G5 and G6. */
export async function largeTlsCase(workshop: Workshop): Promise<Case> {
  return largeCaseOver(await makeTlsFiles(), workshop);
}

async function largeCaseOver(tls: TlsFiles | undefined, { say, peers, registries }: Workshop): Promise<Case> {
  say('making one image of 8 x 64 MiB');
  const source = await registries.open('source', { tls });
  const images = await pushImages(source, [largeImage()], tls?.caFile);
  const work = { source, errands: images.map((image) => ({ image })), tls };
  return {
    name: tls === undefined ? 'large' : 'large-tls',
    title: `one image of 8 layers of 64 MiB; ${tls === undefined ? 'plain HTTP' : 'TLS'} on loopback`,
    contenders: [copyContender({ name: ours, ...work, copy: copyOne(tls) }), ...peers.map((peer) => copyContender({ name: peer.name, ...work, copy: copyEach(peer, 1, tls) }))],
    figures: peers.flatMap(({ name }) => [wall, clientCpu, peakRss].map((quantity): Figure => ({ as: 'ratio', quantity, contender: ours, peer: name, ...goalOf(name, quantity, tls) }))),
    conditions: { images: 1, layers: 8, layerBytes: 64 * mib, layersAtOnce: 4, tls: tls === undefined ? 'no' : 'yes', rttMs: 0 },
  };
}

function goalOf(peer: PeerName, quantity: Quantity, tls: TlsFiles | undefined): Pick<Figure, 'goal' | 'atMost'> {
  const goal = (name: string, atMost: number): Pick<Figure, 'goal' | 'atMost'> => ({ goal: name, atMost });
  if (peer === 'crane' && tls !== undefined) {
    if (quantity === wall) return goal('G4', 0.95);
    if (quantity === clientCpu) return goal('G4', 1.15);
  }
  if (peer === 'skopeo') {
    if (quantity === wall) return goal('G5', 0.75);
    if (quantity === clientCpu) return goal('G5', 0.65);
    if (quantity === peakRss) return goal('G6', 0.95);
  }
  return {};
}

const layers = { small: 64 * mib, large: 4096 * mib };

/** G6: memory must not follow the size of a layer. */
export async function layerCase({ say, registries }: Workshop): Promise<Case> {
  say('making a layer of 64 MiB and one of 4 GiB');
  const source = await registries.open('source');
  const contender = async (name: string, layerBytes: number): Promise<Case['contenders'][number]> => {
    const image = await pushNoise(source, { name: `layer/of-${layerBytes / mib}:1.0`, layerBytes });
    return copyContender({ name, source, errands: [{ image }], copy: copyOne() });
  };
  const [small, large] = [`${ours}, 64 MiB`, `${ours}, 4 GiB`];
  return {
    name: 'layer',
    title: 'one layer of 64 MiB, and one of 4 GiB; plain HTTP on loopback',
    contenders: [await contender(small, layers.small), await contender(large, layers.large)],
    figures: [{ as: 'excess', quantity: peakRss, contender: large, peer: small, goal: 'G6', atMost: 16 * mib }],
    conditions: { smallLayerBytes: layers.small, largeLayerBytes: layers.large, rttMs: 0 },
  };
}
