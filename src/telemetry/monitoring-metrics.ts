/** What is known of tracked images. */
import { Histogram } from 'prom-client';
import type { AvailabilityState } from '../domain/availability.js';
import { scrapedGauges, type Measure, type Scrape } from './scraped.js';

/** One tracked image, for one rule. */
export interface MonitoredSeen {
  /** of the rule */
  readonly name: string;
  /** `host[:port]` */
  readonly registry: string;
  readonly status: AvailabilityState;
  readonly used: boolean;
  readonly original: boolean;
  /** milliseconds since the last check; undefined before the first */
  readonly ageMs?: number;
}

/** Upper bounds in minutes, ascending; `disabled`: no histogram. */
export type AgeBuckets = readonly number[] | 'disabled';

/** As in v2: from a minute to a day and more. */
export const usualAgeBuckets: AgeBuckets = Array.from({ length: 12 }, (_, index) => 1.94 ** index);

type Read = () => readonly MonitoredSeen[] | undefined;

const measures: readonly Measure<readonly MonitoredSeen[]>[] = [
  {
    name: 'monitoring_images', help: 'Tracked images, by the ClusterImageSetAvailability that tracks them and what is known of them', labelNames: ['name', 'registry', 'status', 'used', 'original'],
    of: (seen) => seen.map(({ name, registry, status, used, original }) => ({ labels: { name, registry, status, used: String(used), original: String(original) }, value: 1 })),
  },
];

/** @returns takes what tells of the tracked images; `undefined`, and so it is until told, has no values */
export function createMonitoringMetrics(scrape: Scrape, ageBuckets: AgeBuckets): (read: Read) => void {
  const watchImages = scrapedGauges(scrape, measures);
  const watchAges = ageBuckets === 'disabled' ? () => undefined : scrapedAges(scrape, ageBuckets);
  return (read) => {
    watchImages(read);
    watchAges(read);
  };
}

/** A histogram that is made anew at every scrape: ages grow by themselves. */
function scrapedAges({ register, prefix, host }: Scrape, buckets: readonly number[]): (read: Read) => void {
  let read: Read = () => undefined;
  const ages: Histogram = new Histogram({
    name: `${prefix}monitoring_image_last_monitor_age_minutes`,
    help: 'Minutes since tracked images were checked; those never checked are left out',
    labelNames: ['name', 'registry'],
    buckets: [...buckets],
    registers: [register],
    collect: () => {
      ages.reset();
      for (const { name, registry, ageMs } of read() ?? []) if (ageMs !== undefined) ages.observe({ name, registry: host(registry) }, ageMs / 60_000);
    },
  });
  return (from) => void (read = from);
}
