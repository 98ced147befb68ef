import type { SkipSettings } from '../domain/opt-out.js';
import type { Platform } from '../domain/platform.js';
import type { FileReader } from './files.js';
import { readBuckets } from './metrics.js';
import { readMonitoring, type Monitoring } from './monitoring.js';
import { readRegistries, type Registries } from './registries.js';
import type { ConfigFile } from './schema.js';
import { readTemporal, type TemporalSettings } from './temporal.js';

/** What the processes use: durations in milliseconds, selectors and patterns ready, files read, effective values worked out. */
export interface Config {
  readonly skip: SkipSettings;
  /** the UID of `kube-system` when it is not configured */
  readonly clusterId?: string;
  readonly routing: {
    readonly activeCheck: {
      readonly timeoutMs: number;
      readonly deadlineMs: number;
      readonly positiveTtlMs: number;
      readonly negativeTtlMs: number;
      readonly resolveDigest: boolean;
      readonly staleMirrorCleanup: { readonly maxConcurrent: number; readonly timeoutMs: number };
    };
    readonly rewriteOnNever: boolean;
    readonly honorPrioritiesOnAlways: boolean;
    readonly pinDigests: boolean;
    readonly pullSecrets: { readonly renewEveryMs: number; readonly expiryMs: number };
  };
  readonly mirroring: { readonly platforms: readonly Platform[]; readonly nodePlatforms: boolean; readonly verifyIntervalMs: number };
  readonly retention: {
    readonly defaultMs: number;
    readonly tombstoneMs: number;
    readonly claimTtlMs: number;
    readonly finalizerDeadlineMs: number;
    readonly maxDeletionsPerHour: number;
    readonly dailyBudgetPercent: number;
    /** templates of workloads count as using an image */
    readonly workloads: boolean;
  };
  readonly monitoring: Monitoring;
  readonly registries: Registries;
  readonly temporal: TemporalSettings;
  readonly migration: { readonly v1ProxyPort: number };
  readonly metrics: {
    /** upper bounds in minutes, ascending */
    readonly imageLastMonitorAgeBuckets: readonly number[] | 'disabled';
  };
}

/** Works out the effective values of a valid file. */
export function settle(file: ConfigFile, files: FileReader, installNamespace: string): Config {
  const { activeCheck, pullSecrets } = file.routing;
  return {
    skip: { labels: file.skipLabels, annotations: file.skipAnnotations, namespaces: file.skipNamespaces },
    ...(file.clusterId !== undefined && { clusterId: file.clusterId }),
    routing: {
      activeCheck: {
        timeoutMs: activeCheck.timeout,
        deadlineMs: activeCheck.deadline,
        positiveTtlMs: activeCheck.positiveTTL,
        negativeTtlMs: activeCheck.negativeTTL,
        resolveDigest: activeCheck.resolveDigest,
        staleMirrorCleanup: { maxConcurrent: activeCheck.staleMirrorCleanup.maxConcurrent, timeoutMs: activeCheck.staleMirrorCleanup.timeout },
      },
      rewriteOnNever: file.routing.rewriteOnNeverImagePullPolicy,
      honorPrioritiesOnAlways: file.routing.honorPrioritiesOnAlwaysImagePullPolicy,
      pinDigests: file.routing.pinDigests,
      pullSecrets: { renewEveryMs: pullSecrets.renewEvery, expiryMs: pullSecrets.expiry },
    },
    mirroring: { platforms: file.mirroring.platforms, nodePlatforms: file.mirroring.nodePlatforms, verifyIntervalMs: file.mirroring.verifyInterval },
    retention: {
      defaultMs: file.retention.default,
      tombstoneMs: file.retention.tombstone,
      claimTtlMs: file.retention.claimTTL,
      finalizerDeadlineMs: file.retention.finalizerDeadline,
      maxDeletionsPerHour: file.retention.maxDeletionsPerHour,
      dailyBudgetPercent: file.retention.dailyBudgetPercent,
      workloads: file.retention.workloads,
    },
    monitoring: readMonitoring(file.monitoring.registries, installNamespace),
    registries: readRegistries(file.registries, files),
    temporal: readTemporal(file.temporal, files),
    migration: file.migration,
    metrics: { imageLastMonitorAgeBuckets: readBuckets(file.metrics.imageLastMonitorAgeMinutes.legacy) },
  };
}
