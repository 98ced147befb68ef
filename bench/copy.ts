/**
 * Copies between two registries, many small images and few large ones. The source registries live through the whole bench;
 * each run gets a new, empty destination unless the case is about a full one.
 */
import { largeCase, largeTlsCase, layerCase } from './copy-large.js';
import { openShelf, smallAgainCase, smallCase, smallNearCase } from './copy-small.js';
import type { Bench, BenchOptions, Case, OpenBench } from './support/bench.js';
import { chosenCases } from './support/cases.js';
import { findPeers, versionsOf, type Peer } from './support/peers.js';
import { Registries } from './support/registries.js';

/** What a case is made with. */
export interface Workshop extends Pick<BenchOptions, 'rttMs' | 'say'> {
  readonly peers: readonly Peer[];
  readonly registries: Registries;
}

export const copyBench: Bench = { name: 'copy', open: openCopyBench };

async function openCopyBench(options: BenchOptions): Promise<OpenBench> {
  const { peers, leftOut } = await findPeers(options.peers);
  const registries = new Registries();
  const workshop: Workshop = { ...options, peers, registries };
  const shelf = openShelf(workshop);
  const cases: Record<string, () => Promise<Case>> = {
    small: () => smallCase(workshop, shelf),
    'small-near': () => smallNearCase(workshop, shelf),
    'small-again': () => smallAgainCase(workshop, shelf),
    large: () => largeCase(workshop),
    'large-tls': () => largeTlsCase(workshop),
    layer: () => layerCase(workshop),
  };
  return {
    cases: chosenCases(cases, options.cases),
    versions: versionsOf(peers),
    leftOut,
    close: () => registries.discard(),
  };
}
