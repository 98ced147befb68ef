/** What the benches of copies have in common: images in one registry, a new and empty one beside it, and who copies. */
import type { RegistryServer } from '../../tools/servers.js';
import type { Attempt, Contender, Round } from './bench.js';
import type { TlsFiles } from './certificate.js';
import { startDelayRelay, type Cut, type DelayRelay } from './delay-relay.js';
import { expectImages, type BenchImage } from './images.js';
import type { Launcher } from './measure.js';
import { kuik, type Peer } from './peers.js';
import { atOnce } from './pool.js';
import { discard, openRegistry } from './registries.js';
import { countTraffic } from './traffic.js';

/** Where from and where to, as the contender is told. */
export type Pair = readonly [source: string, destination: string];

/** One image to copy, and the name it gets: its own unless told. */
export interface Errand {
  readonly image: BenchImage;
  /** `path:tag` */
  readonly to?: string;
}

/** The copies one contender makes, and how. */
export interface Work {
  readonly name: string;
  readonly source: RegistryServer;
  readonly errands: readonly Errand[];
  /** one that is never empty, and that no run changes; a new one for every run unless told */
  readonly destination?: RegistryServer;
  /** milliseconds; without it the registries are asked directly in every round but the first, whose relays count */
  readonly rttMs?: number;
  readonly tls?: TlsFiles;
  /** which side is cut off once, and when */
  readonly cut?: Cut & { readonly side: 'source' | 'destination' };
  readonly copy: (launcher: Launcher, pairs: readonly Pair[]) => Promise<void>;
  /** what else is to be known of a run that went through relays */
  readonly readings?: (relays: Relays) => Readonly<Record<string, number>>;
}

export interface Relays {
  readonly source: DelayRelay;
  readonly destination: DelayRelay;
}

export function copyContender(work: Work): Contender {
  return { name: work.name, prepare: (round) => prepareCopy(work, round) };
}

async function prepareCopy(work: Work, round: Round): Promise<Attempt> {
  const { source, errands, tls, copy } = work;
  const destination = work.destination ?? (await openRegistry('destination', { tls }));
  const relays = work.rttMs === undefined && round === 'timed' ? undefined : await startRelays(work, destination);
  const [from, to] = [(relays?.source ?? source).address, (relays?.destination ?? destination).address];
  const pairs = errands.map(({ image, to: name = image.name }): Pair => [`${from}/${image.name}`, `${to}/${name}`]);
  const counted = relays && countTraffic({ source: { registry: source, relay: relays.source }, destination: { registry: destination, relay: relays.destination } }, tls);
  return {
    run: (launcher) => copy(launcher, pairs),
    traffic: () => counted?.() ?? {},
    readings: () => (relays && work.readings?.(relays)) ?? {},
    check: () => expectImages(destination, errands.map(({ image, to: name = image.name }) => ({ name, digest: image.digest })), tls?.caFile),
    clean: async () => {
      await Promise.all([relays?.source.close(), relays?.destination.close()]);
      if (work.destination === undefined) await discard(destination);
    },
  };
}

async function startRelays({ source, rttMs = 0, cut }: Work, destination: RegistryServer): Promise<Relays> {
  const cutAt = (side: 'source' | 'destination'): Cut | undefined => (cut?.side === side ? cut : undefined);
  return {
    source: await startDelayRelay({ port: source.port, rttMs, cut: cutAt('source') }),
    destination: await startDelayRelay({ port: destination.port, rttMs, cut: cutAt('destination') }),
  };
}

/** One process of ours for the whole list. */
export function copyList(imagesAtOnce: number): Work['copy'] {
  return async (launcher, pairs) => {
    const list = pairs.map((pair) => `${pair.join(' ')}\n`).join('');
    await kuik(launcher, ['copy', '--from-file', '-', '--concurrency', String(imagesAtOnce)], list);
  };
}

/** One process of ours per image. */
export function copyOne(tls?: TlsFiles): Work['copy'] {
  return async (launcher, pairs) => {
    for (const pair of pairs) await kuik(launcher, ['copy', ...pair, ...pair.flatMap((image) => (tls === undefined ? [] : ['--ca-file', `${image.slice(0, image.indexOf('/'))}=${tls.caFile}`]))]);
  };
}

/** One process per image, as users of the peer do it, so many at a time. */
export function copyEach(peer: Peer, width: number, tls?: TlsFiles): Work['copy'] {
  return (launcher, pairs) => atOnce(width, pairs, ([from, to]) => peer.copy(launcher, from, to, tls?.caFile));
}
