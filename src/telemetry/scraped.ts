/** Gauges that are read at every scrape, so that nothing is counted twice or left behind, and a scrape costs what there is now. */
import { Gauge, type Registry } from 'prom-client';

/** One value, and the labels it stands under. */
export interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Measure<Seen> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly of: (seen: Seen) => readonly Reading[];
  /** what several values under the same labels are together, since hosts beyond the first ones share one; their sum unless told */
  readonly together?: (one: number, other: number) => number;
}

export interface Scrape {
  readonly register: Registry;
  readonly prefix: string;
  /** of a host, the label `registry` */
  readonly host: (host: string) => string;
}

/** @returns takes what is looked at: once per scrape; `undefined`, and so it is until told, has no values */
export function scrapedGauges<Seen>({ register, prefix, host }: Scrape, measures: readonly Measure<Seen>[]): (read: () => Seen | undefined) => void {
  let read: () => Seen | undefined = () => undefined;
  const look = oncePerScrape(() => read());
  for (const { name, help, labelNames, of, together = sum } of measures) {
    const gauge: Gauge = new Gauge({
      name: prefix + name,
      help,
      labelNames: [...labelNames],
      registers: [register],
      collect: () => {
        gauge.reset();
        if (labelNames.length === 0) gauge.remove(); // it would be 0
        const seen = look();
        const readings = seen === undefined ? [] : of(seen).map((reading) => bounded(reading, host));
        for (const { labels, value } of merged(readings, together)) gauge.set(labels, value);
      },
    });
  }
  return (from) => void (read = from);
}

const sum = (one: number, other: number): number => one + other;

/** The registry collects all metrics in one go, before it waits for anything. */
function oncePerScrape<T>(read: () => T): () => T {
  let seen: { readonly value: T } | undefined;
  return () => {
    if (seen === undefined) queueMicrotask(() => (seen = undefined));
    seen ??= { value: read() };
    return seen.value;
  };
}

function bounded({ labels, value }: Reading, host: Scrape['host']): Reading {
  const { registry } = labels;
  return registry === undefined ? { labels, value } : { labels: { ...labels, registry: host(registry) }, value };
}

function merged(readings: readonly Reading[], together: (one: number, other: number) => number): Iterable<Reading> {
  const byLabels = new Map<string, Reading>();
  for (const reading of readings) {
    const key = JSON.stringify(reading.labels);
    const before = byLabels.get(key);
    byLabels.set(key, before === undefined ? reading : { ...reading, value: together(before.value, reading.value) });
  }
  return byLabels.values();
}
