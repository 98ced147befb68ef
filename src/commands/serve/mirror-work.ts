import { createCredentials, type Credentials } from '../../activities/credentials.js';
import { createMirrorActivities } from '../../activities/mirror.js';
import { createRecordActivities } from '../../activities/record.js';
import { tellRetention } from '../../activities/retain-events.js';
import { createSweepActivities } from '../../activities/sweep.js';
import type { UnkeptDeps } from '../../activities/unkept.js';
import { Failure, isFailure } from '../../domain/failure.js';
import { knownImageRef } from '../../domain/image-ref.js';
import { clustersName } from '../../domain/names.js';
import { referenceOf } from '../../domain/record-plan.js';
import { clustersKey, type ClustersReport } from '../../domain/sweep.js';
import { createCopyEngine } from '../../registry/copy.js';
import { keyring } from '../../registry/keyring.js';
import type { RecordInput } from '../../temporal/activities.js';
import type { KeeperClient } from '../../temporal/client.js';
import type { WorkersOptions } from '../../temporal/worker.js';
import { lookAround, type Surroundings } from '../../watchers/reconcile.js';
import type { Base } from './base.js';
import { LastSweep } from './last-sweep.js';
import type { ManagerViews } from './part.js';
import { monitorWork } from './monitor-work.js';
import { retainWork } from './retain-work.js';

/** As long as a look by a keeper may take: milliseconds. */
const unkeptPatienceMs = 30_000;

/** What the workflows of this cluster have done in the world. */
export function mirrorWork(base: Base, views: ManagerViews, { clusterId, keepers }: { readonly clusterId: string; readonly keepers: KeeperClient }): WorkersOptions['activities'] {
  const { cluster, registry, metrics, log, environment, config } = base;
  const credentials = credentialsOf(base, views);
  const retain = retainWork(base, credentials);
  const lastSweep = new LastSweep(Date.now);
  metrics.watchOrphans(() => lastSweep.orphans());
  const sweep = createSweepActivities({
    cluster: clusterId,
    wanted: () => lookAround(surroundings(base, views)).plan.wanted,
    records: () => views.records.snapshot(),
    record: (image) => views.records.byImage(image),
    keepers,
    lease: leaseOf(config),
    registry,
    credentials,
    unkept: unkeptWork(base, views),
    now: Date.now,
    noteClusters: async (clusters) => {
      const report: ClustersReport = { v: 1, self: clusterId, at: new Date(Date.now()).toISOString(), clusters };
      await cluster.setConfigMap({ namespace: environment.installNamespace, name: clustersName }, { [clustersKey]: JSON.stringify(report) });
    },
    onOrphan: (reference) => log.info({ place: reference }, 'nobody keeps this tag below a mirror of ours'),
    countOrphans: (byHost) => lastSweep.note(byHost),
  });
  return {
    registry: { ...createMirrorActivities({ engine: createCopyEngine(registry), credentials, recorded: ({ image, destination }) => views.records.byImage(image)?.places.find(({ reference }) => reference === referenceOf(destination)) }), ...retain.registry, ...sweep.registry },
    cluster: { ...createRecordActivities({ clusterId, cluster, records: views.records, observe: (input) => observeEnding(input, clusterId, base) }), ...retain.cluster, ...sweep.cluster },
    monitor: monitorWork(base, views, surroundings(base, views)),
  };
}

function credentialsOf({ cluster, config }: Base, views: ManagerViews): Credentials {
  return createCredentials({
    rules: () => views.rules.snapshot(),
    record: (image) => views.records.byImage(image),
    podsUsing: (image) => views.usage.podsOf(image),
    secret: (ref) => cluster.secret(ref),
    keyring,
    fallback: (host) => fallbackSecret(config, host),
  });
}

/** How copies are looked at that nobody keeps. */
export function unkeptWork(base: Base, views: ManagerViews): UnkeptDeps {
  const credentials = credentialsOf(base, views);
  const look: UnkeptDeps['look'] = async (subject) => {
    const at = knownImageRef(subject.publishAs);
    const patience = AbortSignal.timeout(unkeptPatienceMs);
    try {
      const seen = await base.registry.head(at, await credentials.destination(subject), { signal: patience, purpose: 'verify', side: 'destination' });
      return seen === 'missing' ? 'missing' : seen.digest;
    } catch (error) {
      if (isFailure(error) || !patience.aborted) throw error;
      throw new Failure({ code: 'timeout', side: 'destination', host: at.host, message: `no answer from ${at.host} within ${unkeptPatienceMs / 1000} s` }, { cause: error });
    }
  };
  return { cluster: base.cluster, records: views.records, look };
}

/** What this cluster says in every claim, whoever sends it. */
export function leaseOf({ retention, mirroring, temporal }: Base['config']) {
  return { ttlMs: retention.claimTtlMs, verifyEveryMs: mirroring.verifyIntervalMs, tombstoneMs: retention.tombstoneMs, connected: temporal.shared };
}

/** Where this process takes pictures from. */
export function surroundings({ config }: Pick<Base, 'config'>, views: ManagerViews): Surroundings {
  return {
    usage: views.usage,
    workloads: views.workloads,
    rules: views.rules,
    records: views.records,
    namespaceLabels: (namespace) => views.namespaces.labels(namespace),
    settings: { platforms: config.mirroring.platforms, retentionMs: config.retention.defaultMs, isConnected: config.temporal.shared, skip: config.skip },
    ...(views.nodes === undefined ? {} : { nodePlatforms: () => views.nodes?.platforms() ?? [] }),
    now: Date.now,
  };
}

/** The Secret configured for a host. */
export function fallbackSecret({ monitoring }: Base['config'], host: string): ReturnType<Parameters<typeof createCredentials>[0]['fallback']> {
  return (monitoring.items[host] ?? monitoring.default).fallbackCredentialSecret;
}

function observeEnding(input: RecordInput, clusterId: string, { metrics, cluster, log }: Base): void {
  if (input.ended?.by === clusterId) countEnding(input, input.ended.tookMs, metrics);
  const { image } = input;
  tellRetention(input, cluster).catch((err: unknown) => log.warn({ err, image }, 'the cluster was not told what becomes of a copy'));
}

/** By the cluster that did the work: the others are told, too. */
function countEnding({ destination, report }: RecordInput, tookMs: number, { mirroring }: Base['metrics']): void {
  const { host } = knownImageRef(destination);
  if (report.state === 'failed') mirroring.copied(host, 'failed', report.failure.code);
  if (report.state !== 'copied') return;
  const { result } = report.outcome;
  mirroring.copied(host, result);
  if (result === 'copied') mirroring.took(host, tookMs / 1000);
}
