/** A connection that breaks at half of a layer, on either side: what has to be sent again? Counted in the relays, and exact. */
import type { Bench, BenchOptions, Case, Figure, OpenBench } from './support/bench.js';
import { chosenCases } from './support/cases.js';
import { copyContender, copyEach, copyOne, type Work } from './support/copy-work.js';
import { pushNoise } from './support/noise-image.js';
import { findPeers, versionsOf, type Peer } from './support/peers.js';
import { overLine } from './support/quantities.js';
import { Registries } from './support/registries.js';

const layerBytes = 256 * 1024 * 1024;
const ours = 'kuik';
const fromSource = overLine('source', 'bytesDown', 'bytes from the source');
const toDestination = overLine('destination', 'bytesUp', 'bytes to the destination');

export const resumeBench: Bench = { name: 'resume', open: openResumeBench };

async function openResumeBench(options: BenchOptions): Promise<OpenBench> {
  const { peers, leftOut } = await findPeers(options.peers.filter((name) => name === 'crane'));
  const registries = new Registries();
  const play = (side: Side) => async (): Promise<Case> => {
    options.say('making a layer of 256 MiB');
    const source = await registries.open('source');
    return resumeCase(side, { source, errands: [{ image: await pushNoise(source, { name: 'resume/model:1.0', layerBytes }) }] }, peers);
  };
  return {
    cases: chosenCases({ source: play('source'), destination: play('destination') }, options.cases),
    versions: versionsOf(peers),
    leftOut,
    close: () => registries.discard(),
  };
}

type Side = 'source' | 'destination';

function resumeCase(side: Side, place: Pick<Work, 'source' | 'errands'>, peers: readonly Peer[]): Case {
  const work = { ...place, rttMs: 0, cut: { side, way: side === 'source' ? 'down' : 'up', afterBytes: layerBytes / 2 } } as const;
  const whole = { name: 'layer', amount: layerBytes };
  const shares = (contender: string): readonly Figure[] => [
    { as: 'share', quantity: fromSource, contender, whole, ...(contender === ours && { goal: 'G13', atMost: 1.05 }) },
    { as: 'share', quantity: toDestination, contender, whole, ...(contender === ours && { goal: 'G13', atMost: 1.1 }) },
  ];
  return {
    name: side,
    title: `one layer of 256 MiB; the connection to the ${side} breaks at half of it`,
    contenders: [copyContender({ name: ours, ...work, copy: copyOne() }), ...peers.map((peer) => copyContender({ name: peer.name, ...work, copy: copyEach(peer, 1) }))],
    figures: [ours, ...peers.map(({ name }) => name)].flatMap(shares),
    conditions: { layerBytes, cutAfterBytes: layerBytes / 2, cutSide: side, rttMs: 0 },
  };
}
