/** How registries are treated at this moment. */
import type { Measure } from './scraped.js';

/** What the registry client tells of one host. */
export interface PaceSeen {
  readonly registry: string;
  readonly circuit: 'closed' | 'open' | 'trying';
  /** requests at once, by lane */
  readonly limits: Readonly<Record<string, number>>;
  /** requests, by priority */
  readonly waiting: Readonly<Record<string, number>>;
  /** milliseconds for which it still wants no requests, since there were too many: the longest over credentials */
  readonly throttledMs: number;
  /** the lowest over credentials; undefined where the registry does not say */
  readonly remaining?: number;
}

export const paceMeasures: readonly Measure<readonly PaceSeen[]>[] = [
  {
    name: 'registry_ratelimit_remaining', help: 'Requests a registry still grants, the lowest over credentials', labelNames: ['registry'], together: Math.min,
    of: (seen) => seen.flatMap(({ registry, remaining }) => (remaining === undefined ? [] : [{ labels: { registry }, value: remaining }])),
  },
  {
    name: 'registry_throttled_seconds', help: 'How long a registry still asks not to be asked, because there were too many requests, the longest over credentials', labelNames: ['registry'], together: Math.max,
    of: (seen) => seen.map(({ registry, throttledMs }) => ({ labels: { registry }, value: throttledMs / 1000 })),
  },
  {
    name: 'registry_circuit_open', help: '1 while a registry does not answer and is left alone', labelNames: ['registry'], together: Math.max,
    of: (seen) => seen.map(({ registry, circuit }) => ({ labels: { registry }, value: Number(circuit !== 'closed') })),
  },
  {
    name: 'registry_concurrency_limit', help: 'Requests a registry gets at once, as it was found to bear', labelNames: ['registry', 'lane'],
    of: (seen) => seen.flatMap(({ registry, limits }) => Object.entries(limits).map(([lane, value]) => ({ labels: { registry, lane }, value }))),
  },
  {
    name: 'registry_queue_length', help: 'Requests that wait for their turn', labelNames: ['registry', 'priority'],
    of: (seen) => seen.flatMap(({ registry, waiting }) => Object.entries(waiting).map(([priority, value]) => ({ labels: { registry, priority }, value }))),
  },
];
