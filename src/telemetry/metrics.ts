import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { FailureCode } from '../domain/failure.js';
import type { RouteReason } from '../domain/names.js';
import { createHostLabel } from './host-label.js';
import { createMonitoringMetrics, usualAgeBuckets, type AgeBuckets } from './monitoring-metrics.js';
import { paceMeasures } from './pace-metrics.js';
import { pictureMeasures } from './picture-metrics.js';
import { scrapedGauges, type Measure, type Scrape } from './scraped.js';

const prefix = 'kube_image_keeper_';

/** From an answer out of memory to the API server's patience. */
const admissionSeconds = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3];
const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const copySeconds = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

export interface Build {
  readonly version: string;
  readonly revision: string;
  readonly built: string;
}

export interface MetricSeen {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly help: string;
  readonly labels: readonly string[];
}

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * Everything one process counts, as functions in the words of whoever counts; `text()` is what `/metrics` answers.
 * Names, types and labels: docs/reference/metrics.md. An image name is never a label.
 */
export function createMetrics(build: Build, ageBuckets: AgeBuckets = usualAgeBuckets) {
  const register = new Registry();
  const host = createHostLabel();
  const scrape: Scrape = { register, prefix, host };
  collectDefaultMetrics({ register });
  buildInfo(register, build);

  return {
    prefix,
    contentType: register.contentType,
    /** Everything there may be, whether or not it was counted yet. */
    describe: (): readonly MetricSeen[] => describe(register),
    text: (): Promise<string> => register.metrics(),
    manager: managerMetrics(register),
    webhook: webhookMetrics(register),
    registry: registryMetrics(scrape),
    mirroring: mirroringMetrics(register, host),
    /** What the last sweep counted here, by registry. */
    watchOrphans: scrapedGauges(scrape, orphanMeasures),
    retention: retentionMetrics(register, host),
    /** By kind: how many are out of force. */
    watchRules: scrapedGauges(scrape, ruleMeasures),
    inside: insideMetrics(register),
    /** What the manager that leads tells. As with the others that watch, it is read at every scrape. */
    watchPicture: scrapedGauges(scrape, pictureMeasures),
    /** What monitor rules track; undefined where somebody else leads. */
    watchMonitored: createMonitoringMetrics(scrape, ageBuckets),
    /** Each view this process has, and whether its first complete list has arrived. */
    watchViews: scrapedGauges(scrape, viewMeasures),
    /** Whether the Temporal server answers; undefined where nobody has asked it. */
    watchTemporal: scrapedGauges(scrape, temporalMeasures),
  };
}

/** prom-client keeps type and labels on the metric, where its own types do not show them. */
function describe(register: Registry): readonly MetricSeen[] {
  const metrics = register.getMetricsAsArray() as unknown as readonly (Omit<MetricSeen, 'labels'> & { readonly labelNames: readonly string[] })[];
  return metrics.map(({ name, type, help, labelNames }) => ({ name, type, help, labels: labelNames }));
}

function buildInfo(register: Registry, { version, revision, built }: Build): void {
  const info = gauge(register, 'manager_build_info', 'What is running; always 1', ['version', 'revision', 'built', 'goversion', 'goos', 'goarch']);
  info.set({ version, revision, built, goversion: process.version, goos: process.platform, goarch: goArch[process.arch] ?? process.arch }, 1);
}

/** As v2, whose label it is, called the architectures that Node calls otherwise. */
const goArch: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

function managerMetrics(register: Registry) {
  const leader = gauge(register, 'manager_is_leader', '1 on the replica that holds the lease');
  const up = gauge(register, 'manager_up', '1 while the manager runs');
  return {
    isLeader: (value: boolean): void => leader.set(Number(value)),
    isUp: (value: boolean): void => up.set(Number(value)),
  };
}

export type ReviewOutcome = 'unchanged' | 'rewritten' | 'skipped' | 'failed_open';
export type PullSecretAction = 'created' | 'renewed' | 'expired' | 'failed';

function webhookMetrics(register: Registry) {
  const reviews = counter(register, 'admission_reviews_total', 'Reviews answered', ['outcome']);
  const durations = histogram(register, 'admission_duration_seconds', 'Time to answer one review', admissionSeconds);
  const decisions = counter(register, 'routing_decisions_total', 'Decisions, one per image of a Pod', ['verdict', 'reason']);
  const secrets = counter(register, 'routing_pull_secrets_total', 'What was done with copies of pull Secrets', ['action']);
  // so that an alert on a rate sees the first one
  for (const outcome of ['unchanged', 'rewritten', 'skipped', 'failed_open']) reviews.inc({ outcome }, 0);
  decisions.inc({ verdict: 'keep', reason: 'NoPlaceAvailable' satisfies RouteReason }, 0);
  return {
    reviewed: (outcome: ReviewOutcome, seconds: number): void => {
      reviews.inc({ outcome });
      durations.observe(seconds);
    },
    decided: (verdict: 'keep' | 'rewrite' | 'skip', reason: RouteReason): void => decisions.inc({ verdict, reason }),
    pullSecret: (action: PullSecretAction): void => secrets.inc({ action }),
  };
}

export interface RequestSeen {
  /** the registry's `host[:port]` */
  readonly host: string;
  readonly purpose: 'probe' | 'check' | 'copy' | 'verify' | 'delete';
  readonly result: 'ok' | FailureCode;
  /** to the first byte of the answer */
  readonly seconds: number;
}

function registryMetrics(scrape: Scrape) {
  const { register, host } = scrape;
  const requests = counter(register, 'registry_requests_total', 'Requests to registries', ['registry', 'purpose', 'result']);
  const durations = histogram(register, 'registry_request_duration_seconds', 'Time to the first byte of an answer', requestSeconds, ['registry', 'purpose']);
  const retries = counter(register, 'registry_retries_total', 'Requests repeated after what heals by itself', ['registry', 'code']);
  const tokens = counter(register, 'registry_token_requests_total', 'Requests to token services, by the registry they are for', ['registry', 'result']);
  const caches = counter(register, 'registry_cache_total', 'Looks into what is remembered of registries', ['cache', 'result']);
  const blobs = counter(register, 'registry_blobs_total', 'Blobs brought to a registry, by how, and transfers that had to go on or begin again', ['registry', 'how']);
  const corrupt = counter(register, 'registry_corrupt_total', 'Content that is not what its digest says', ['registry', 'side']);
  const guards = counter(register, 'registry_guard_refusals_total', 'Answers of registries that point to where they may not', ['registry', 'rule']);
  const watchPace = scrapedGauges(scrape, paceMeasures);
  return {
    /** Reads the pace of all registries at every scrape. */
    watchPace,
    tokenAsked: (registry: string, result: 'granted' | 'refused' | 'throttled' | 'failed'): void => tokens.inc({ registry: host(registry), result }),
    cached: (cache: 'manifest' | 'blob' | 'token' | 'availability', result: 'hit' | 'miss'): void => caches.inc({ cache, result }),
    blob: (registry: string, how: 'present' | 'mounted' | 'uploaded' | 'resumed' | 'restarted'): void => blobs.inc({ registry: host(registry), how }),
    corrupt: (registry: string, side: 'source' | 'destination'): void => corrupt.inc({ registry: host(registry), side }),
    guarded: (registry: string, rule: string): void => guards.inc({ registry: host(registry), rule }),
    retried: (registry: string, code: FailureCode): void => retries.inc({ registry: host(registry), code }),
    requested: (seen: RequestSeen): void => {
      const registry = host(seen.host);
      requests.inc({ registry, purpose: seen.purpose, result: seen.result });
      durations.observe({ registry, purpose: seen.purpose }, seen.seconds);
    },
  };
}

export type CopyOutcome = 'copied' | 'adopted' | 'unchanged' | 'failed';

function mirroringMetrics(register: Registry, host: HostLabel) {
  const copies = counter(register, 'mirroring_copies_total', 'Copies that ended, by destination', ['registry', 'outcome', 'code']);
  const bytes = counter(register, 'mirroring_bytes_total', 'Bytes of blobs and manifests that copies read, and of blobs that they wrote', ['registry', 'direction']);
  const durations = histogram(register, 'mirroring_copy_duration_seconds', 'Time from the start of a copy to its verified tag', copySeconds, ['registry']);
  return {
    /** `code` only with `failed` */
    copied: (destination: string, outcome: CopyOutcome, code?: FailureCode): void => copies.inc({ registry: host(destination), outcome, code: code ?? '' }),
    took: (destination: string, seconds: number): void => durations.observe({ registry: host(destination) }, seconds),
    moved: (registry: string, direction: 'read' | 'written', count: number): void => bytes.inc({ registry: host(registry), direction }, count),
  };
}

function retentionMetrics(register: Registry, host: HostLabel) {
  const deletions = counter(register, 'retention_deletions_total', 'Deletions that ended, by destination; those that a guard refused are among the blocked', ['registry', 'outcome']);
  return {
    deleted: (destination: string, outcome: 'deleted' | 'absent' | 'failed'): void => deletions.inc({ registry: host(destination), outcome }),
  };
}

type Counts = Readonly<Record<string, number>>;

const orphanMeasures: readonly Measure<Counts>[] = [
  { name: 'retention_orphans', help: 'Tags below our prefixes that nobody keeps, as the last sweep counted them', labelNames: ['registry'], of: (counts) => Object.entries(counts).map(([registry, value]) => ({ labels: { registry }, value })) },
];

const ruleMeasures: readonly Measure<Counts>[] = [
  { name: 'rules_invalid', help: 'Resources that are out of force because of what they say', labelNames: ['kind'], of: (counts) => Object.entries(counts).map(([kind, value]) => ({ labels: { kind }, value })) },
];

const viewMeasures: readonly Measure<Readonly<Record<string, boolean>>>[] = [
  { name: 'view_synced', help: '1 once the first complete list of a view has arrived', labelNames: ['view'], of: (views) => Object.entries(views).map(([view, isSynced]) => ({ labels: { view }, value: Number(isSynced) })) },
];

const temporalMeasures: readonly Measure<boolean>[] = [{ name: 'temporal_connected', help: '1 while the Temporal server answers', labelNames: [], of: (isConnected) => [{ labels: {}, value: Number(isConnected) }] }];

function insideMetrics(register: Registry) {
  const begins = gauge(register, 'certificate_not_before_seconds', 'Begin of a certificate, seconds since 1970', ['certificate']);
  const ends = gauge(register, 'certificate_not_after_seconds', 'End of a certificate, seconds since 1970', ['certificate']);
  return {
    /** Both in milliseconds since the epoch. */
    certificateLasts: (certificate: string, { notBefore, notAfter }: { readonly notBefore: number; readonly notAfter: number }): void => {
      begins.set({ certificate }, notBefore / 1000);
      ends.set({ certificate }, notAfter / 1000);
    },
    /** Of who no longer looks after it, and would not learn that it is renewed. */
    forgetCertificate: (certificate: string): void => [begins, ends].forEach((gauge) => gauge.remove({ certificate })),
  };
}

type HostLabel = (host: string) => string;

function counter(register: Registry, name: string, help: string, labelNames: string[] = []): Counter {
  return new Counter({ name: prefix + name, help, labelNames, registers: [register] });
}

function gauge(register: Registry, name: string, help: string, labelNames: string[] = []): Gauge {
  const made = new Gauge({ name: prefix + name, help, labelNames, registers: [register] });
  if (labelNames.length === 0) made.remove(); // it would be 0 in a process that has nothing to say about it
  return made;
}

function histogram(register: Registry, name: string, help: string, buckets: number[], labelNames: string[] = []): Histogram {
  return new Histogram({ name: prefix + name, help, buckets, labelNames, registers: [register] });
}
