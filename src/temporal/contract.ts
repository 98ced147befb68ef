/**
 * The wire contract with Temporal: names of workflows, messages, queues, search attributes, and the payloads.
 * Renaming anything here is a breaking change; payloads are versioned (`v`) and only grow.
 */
import type { Claim } from '../domain/claim.js';
import type { Digest } from '../domain/digest.js';
import type { FailureInfo } from '../domain/failure.js';
import type { ImageName, PlaceId } from '../domain/image-ref.js';
import type { Platform } from '../domain/platform.js';
import type { Strategy } from '../domain/record.js';

export const workflowQueue = 'kuik';
export const registryQueue = (cluster: string): string => `kuik-registry.${cluster}`;
export const clusterQueue = (cluster: string): string => `kuik-cluster.${cluster}`;

export const workflowTypes = {
  keepImage: 'keepImage',
  copyImage: 'copyImage',
  deleteImage: 'deleteImage',
  monitorRegistry: 'monitorRegistry',
  sweepCluster: 'sweepCluster',
} as const;

export const signals = {
  claim: 'claim',
  release: 'release',
  retry: 'retry',
  resync: 'resync',
  pause: 'pause',
  resume: 'resume',
  observed: 'observed',
  proceed: 'proceed',
} as const;

export const updates = { retryNow: 'retryNow' } as const;
export const queries = { status: 'status' } as const;

/** Search attributes and their types, as the server knows them. */
export const searchAttributes = {
  KuikPhase: 'KEYWORD',
  KuikRegistry: 'KEYWORD',
  KuikSourceRegistry: 'KEYWORD',
  KuikRepository: 'KEYWORD',
  KuikErrorType: 'KEYWORD',
  KuikClusters: 'KEYWORD_LIST',
  KuikUnusedSince: 'DATETIME',
  KuikBytes: 'INT',
} as const;

export type Phase = 'Pending' | 'Copying' | 'Mirrored' | 'Failed' | 'Expiring' | 'Deleting' | 'Paused';

/** `release`: the cluster no longer wants the destination. */
export interface Release {
  readonly v: 1;
  readonly cluster: string;
  readonly generation: number;
  readonly purge?: boolean;
}

/** Input of `copyImage`. Credentials are found by rule, in the cluster that executes the activities. */
export interface CopyTask {
  readonly v: 1;
  readonly destination: PlaceId;
  readonly publishAs: ImageName;
  readonly image: ImageName;
  /** whose queues execute the activities */
  readonly cluster: string;
  /** every cluster that claims the destination: each gets the outcome recorded */
  readonly clusters: readonly string[];
  readonly sources: readonly ImageName[];
  readonly rules: Claim['rules'];
  readonly platforms: readonly Platform[];
  readonly copy: Claim['copy'];
  readonly referrers: Claim['referrers'];
  readonly urgency: 'waiting' | 'normal';
}

/** How a copy ended well. */
export interface CopyOutcome {
  readonly v: 1;
  readonly result: 'copied' | 'adopted' | 'unchanged';
  /** what the destination answers with */
  readonly digest: Digest;
  readonly sourceDigest?: Digest;
  readonly strategy: Strategy;
  /** `os/architecture[/variant]` */
  readonly platforms: readonly string[];
  readonly missingPlatforms: readonly string[];
  readonly bytes: number;
  /** RFC 3339 */
  readonly mirroredAt: string;
  /** where the bytes came from */
  readonly source?: ImageName;
}

/** `observed`: the last step of every copy, whoever started it. */
export interface Observed {
  readonly v: 1;
  readonly runId: string;
  readonly kind: 'copy' | 'delete';
  readonly outcome: CopyOutcome | { readonly v: 1; readonly result: 'failed'; readonly failure: FailureInfo };
}
