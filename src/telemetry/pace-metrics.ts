/** How registries are treated at this moment: read at every scrape, so that nothing is counted twice or left behind. */
import { Gauge, type Registry } from 'prom-client';

/** What the registry client tells of one host. */
export interface PaceSeen {
  readonly registry: string;
  readonly circuit: 'closed' | 'open' | 'trying';
  /** requests at once, by lane */
  readonly limits: Readonly<Record<string, number>>;
  /** requests, by priority */
  readonly waiting: Readonly<Record<string, number>>;
  /** the lowest over credentials; undefined where the registry does not say */
  readonly remaining?: number;
}

/** One value, and the labels it stands under. */
interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Measure {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly of: (seen: PaceSeen, registry: string) => readonly Reading[];
  /** hosts beyond the first ones share a label */
  readonly together: (one: number, other: number) => number;
}

const sum = (one: number, other: number): number => one + other;

const measures: readonly Measure[] = [
  {
    name: 'registry_ratelimit_remaining', help: 'Requests a registry still grants, the lowest over credentials', labelNames: ['registry'], together: Math.min,
    of: ({ remaining }, registry) => (remaining === undefined ? [] : [{ labels: { registry }, value: remaining }]),
  },
  {
    name: 'registry_circuit_open', help: '1 while a registry does not answer and is left alone', labelNames: ['registry'], together: Math.max,
    of: ({ circuit }, registry) => [{ labels: { registry }, value: Number(circuit !== 'closed') }],
  },
  {
    name: 'registry_concurrency_limit', help: 'Requests a registry gets at once, as it was found to bear', labelNames: ['registry', 'lane'], together: sum,
    of: ({ limits }, registry) => Object.entries(limits).map(([lane, value]) => ({ labels: { registry, lane }, value })),
  },
  {
    name: 'registry_queue_length', help: 'Requests that wait for their turn', labelNames: ['registry', 'priority'], together: sum,
    of: ({ waiting }, registry) => Object.entries(waiting).map(([priority, value]) => ({ labels: { registry, priority }, value })),
  },
];

/** @returns takes what tells the pace of all registries; until then there is none */
export function createPaceMetrics(register: Registry, prefix: string, host: (host: string) => string): (read: () => readonly PaceSeen[]) => void {
  let read: () => readonly PaceSeen[] = () => [];
  for (const { name, help, labelNames, of, together } of measures) {
    const gauge: Gauge = new Gauge({
      name: prefix + name,
      help,
      labelNames: [...labelNames],
      registers: [register],
      collect: () => {
        gauge.reset();
        const readings = read().flatMap((seen) => of(seen, host(seen.registry)));
        for (const { labels, value } of merged(readings, together)) gauge.set(labels, value);
      },
    });
  }
  return (from) => void (read = from);
}

function merged(readings: readonly Reading[], together: Measure['together']): Iterable<Reading> {
  const byLabels = new Map<string, Reading>();
  for (const reading of readings) {
    const key = JSON.stringify(reading.labels);
    const before = byLabels.get(key);
    byLabels.set(key, before === undefined ? reading : { ...reading, value: together(before.value, reading.value) });
  }
  return byLabels.values();
}
