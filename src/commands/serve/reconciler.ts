import { monitorSettingsOf } from '../../config/monitoring.js';
import { failureInfo, type FailureInfo } from '../../domain/failure.js';
import type { ImageRef, PlaceId } from '../../domain/image-ref.js';
import type { TrackedImage } from '../../domain/monitor.js';
import { offersNothing } from '../../registry/keyring.js';
import type { ClaimQueue } from '../../temporal/claim-queue.js';
import type { KeeperClient } from '../../temporal/client.js';
import { holdRules, type FinalizerDeps } from '../../watchers/finalizers.js';
import { Takeover } from '../../watchers/import.js';
import { Reconciler, type Picture } from '../../watchers/reconcile.js';
import { isAnswer, RegistryCheck } from '../../watchers/registry-check.js';
import { reportRules, type ReportDeps } from '../../watchers/report.js';
import { SecretCheck } from '../../watchers/secret-check.js';
import type { Base } from './base.js';
import { surroundings } from './mirror-work.js';
import type { ManagerViews } from './part.js';

/** A rule is not ready before its registries have answered, or had this long: milliseconds. */
const registryPatienceMs = 5_000;
/** A deleted rule waits for its claims to be released, which nothing else tells. */
const lookAgainMs = 2_000;

export interface ReconcilerParts {
  readonly base: Base;
  readonly views: ManagerViews;
  readonly client: KeeperClient;
  readonly queue: ClaimQueue;
  /** another pass is wanted */
  readonly ask: () => void;
  /** what is tracked now */
  readonly monitor: (images: readonly TrackedImage[]) => void;
  /** a picture is about to be reported */
  readonly onReport: (picture: Picture) => void;
}

/** A reconciler with everything it does on the real cluster, the real registries and the real Temporal. */
export function makeReconciler(parts: ReconcilerParts): Reconciler {
  const { base, views, queue, monitor, onReport } = parts;
  const [hold, report] = [holdDeps(parts), reportDeps(parts)];
  return new Reconciler({
    ...surroundings(base, views),
    cluster: base.cluster,
    rules: views.rules,
    records: views.records,
    claims: queue,
    tellAgain: (destinations) => void tellAgain(parts, destinations),
    monitor,
    hold: (picture) => holdRules(picture, hold),
    report: (picture) => {
      onReport(picture);
      return reportRules(picture, report);
    },
  });
}

function reportDeps({ base, views, client, ask }: ReconcilerParts): ReportDeps {
  const { cluster, config } = base;
  return {
    cluster,
    resource: views.resource,
    pods: () => views.usage.pods(),
    secrets: new SecretCheck({ read: (ref) => cluster.secret(ref), isUnusable: offersNothing, now: Date.now }),
    registries: new RegistryCheck({ ask: (at) => askRegistry(base, at), onAnswer: ask, now: Date.now }),
    temporalConnected: () => client.connection() !== 'away',
    paceOf: (host) => monitorSettingsOf(config.monitoring, host),
    isConnected: config.temporal.shared,
    takeover: new Takeover({ cluster, onTaken: ask }),
  };
}

function holdDeps({ base: { cluster, config }, views, client, queue, ask }: ReconcilerParts): FinalizerDeps {
  return {
    cluster,
    resource: views.resource,
    owes: (destination) => queue.owes(destination),
    keeper: (destination) => client.status(destination),
    namespaces: () => views.namespaces.snapshot().map(({ name }) => name),
    deadlineMs: config.retention.finalizerDeadlineMs,
    tombstoneMs: config.retention.tombstoneMs,
    onHeld: () => void setTimeout(ask, lookAgainMs).unref(),
  };
}

/** @returns why it is silent; undefined when it answered, whatever it said */
async function askRegistry({ registry }: Base, at: ImageRef): Promise<FailureInfo | undefined> {
  try {
    await registry.head(at, [], { signal: AbortSignal.timeout(registryPatienceMs), purpose: 'check', side: 'destination' });
    return undefined;
  } catch (error) {
    const failure = failureInfo(error) ?? { code: 'timeout', side: 'destination', host: at.host, message: `no answer from ${at.host} within ${registryPatienceMs / 1000} s` };
    return isAnswer(failure) ? undefined : failure;
  }
}

/** One after the other: `kubectl delete ia --all` is no reason to hurry, and a keeper that is missed looks by itself daily. */
async function tellAgain({ base, client }: ReconcilerParts, destinations: readonly PlaceId[]): Promise<void> {
  for (const destination of destinations) {
    await client.resync(destination).catch((error: unknown) => base.log.warn({ err: error, destination }, 'a keeper cannot be asked about its copy'));
  }
}
