/**
 * An image that is copied to a second repository of the same registry: everything it needs is already there. Each contender
 * makes both copies; what is quoted is what the second repository was asked, counted by path in the relay.
 */
import type { Bench, BenchOptions, Case, Figure, OpenBench } from './support/bench.js';
import { chosenCases } from './support/cases.js';
import { copyContender, copyEach, copyList, type Relays, type Work } from './support/copy-work.js';
import { pushImages, smallImages } from './support/images.js';
import { findPeers, versionsOf, type Peer } from './support/peers.js';
import { reading } from './support/quantities.js';
import { Registries } from './support/registries.js';

const layers = 10;
const ours = 'kuik';
// neither is the path of the source: crane mounts from a repository of that name, should the destination have one too
const firstName = 'first/app:1.0';
const secondName = 'second/app:1.0';
const requests = reading('requests at the second repository', 'count');
const uploads = reading('uploads to the second repository', 'count');
const blobBytes = reading('blob bytes to the second repository', 'bytes');

export const mountBench: Bench = { name: 'mount', open: openMountBench };

async function openMountBench(options: BenchOptions): Promise<OpenBench> {
  const { peers, leftOut } = await findPeers(options.peers);
  const registries = new Registries();
  const play = async (): Promise<Case> => {
    const source = await registries.open('source');
    const [image] = await pushImages(source, smallImages(1));
    if (image === undefined) throw new Error('no image was made');
    return mountCase({ source, errands: [firstName, secondName].map((to) => ({ image, to })) }, peers);
  };
  return {
    cases: chosenCases({ mount: play }, options.cases),
    versions: versionsOf(peers),
    leftOut,
    close: () => registries.discard(),
  };
}

function mountCase(place: Pick<Work, 'source' | 'errands'>, peers: readonly Peer[]): Case {
  const work = { ...place, rttMs: 0, readings: seenAtSecond };
  const figures = (contender: string): readonly Figure[] => [
    { as: 'amount', quantity: blobBytes, contender, ...(contender === ours && { goal: 'G14', atMost: 0 }) },
    { as: 'amount', quantity: uploads, contender },
    { as: 'amount', quantity: requests, contender, ...(contender === ours && { goal: 'G14', atMost: layers + 4 }) },
  ];
  return {
    name: 'mount',
    title: `one image of ${layers} layers of 10 KiB, copied to one repository of a registry and then to a second one`,
    contenders: [copyContender({ name: ours, ...work, copy: copyList(1) }), ...peers.map((peer) => copyContender({ name: peer.name, ...work, copy: copyEach(peer, 1) }))],
    figures: [ours, ...peers.map(({ name }) => name)].flatMap(figures),
    conditions: { layers, layerBytes: 10 * 1024, rttMs: 0 },
  };
}

/** The ping of `/v2/` belongs to no repository and is not in it. */
function seenAtSecond({ destination }: Relays): Readonly<Record<string, number>> {
  const seen = destination.requests().filter(({ path }) => path.startsWith('/v2/second/'));
  const toBlobs = seen.filter(({ path }) => path.startsWith('/v2/second/app/blobs/'));
  let bytes = 0;
  for (const { bodyBytes } of toBlobs) bytes += bodyBytes;
  return {
    [requests.name]: seen.length,
    [uploads.name]: toBlobs.filter(({ method }) => method === 'PUT').length,
    [blobBytes.name]: bytes,
  };
}
