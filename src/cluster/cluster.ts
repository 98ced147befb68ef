import type { ImageName } from '../domain/image-ref.js';
import type { FieldManager } from '../domain/names.js';
import type { Platform } from '../domain/platform.js';
import type { Condition, ImageRecord, PlaceRecord, RecordUsage } from '../domain/record.js';
import type { RuleKind, SecretRef } from '../domain/rule.js';
import type { Pod } from '../domain/usage.js';

/**
 * The port to one Kubernetes cluster. Errors are `Failure` with side `cluster`; absent objects are `undefined`.
 * The conformance suite (`test/conformance/cluster.ts`) runs on the twin and on a real API server.
 */
export interface Cluster {
  /**
   * Lists and watches one kind until the signal aborts: retries for ever, with back-off. A gap in the watch
   * is closed by a new list, whose difference arrives as ordinary changes, deletions included.
   */
  watch<K extends WatchedKind>(kind: K, onChange: (change: Change<Watched[K]>) => void, signal: AbortSignal): Promise<void>;

  /** A Pod as it is now, or the Pods a workload's selector matches. */
  pod(namespace: string, name: string): Promise<Pod | undefined>;
  namespaceUid(name: string): Promise<string>;
  /** Read by name; Secrets are never listed or watched. */
  secret(ref: SecretRef): Promise<Secret | undefined>;
  /** Server-side apply; `force` only takes over fields that are ours. */
  applySecret(secret: AppliedSecret, manager: FieldManager): Promise<void>;

  record(image: ImageName): Promise<ImageRecord | undefined>;
  /** Writes what the watchers own of a record (`kuik-usage`); creates it when absent. */
  applyUsage(usage: RecordUsage): Promise<void>;
  /**
   * Changes one place of a record as `kuik-mirror` or `kuik-monitor`: reads what that manager owns, changes the
   * one place, applies all of it again under the version it read, and starts over on a conflict.
   *
   * @returns `absent` when there is no such record
   */
  changePlace(
    image: ImageName,
    reference: ImageName,
    manager: 'kuik-mirror' | 'kuik-monitor',
    change: (place: PlaceRecord) => PlaceRecord,
  ): Promise<'changed' | 'unchanged' | 'absent'>;
  deleteRecord(image: ImageName): Promise<void>;
  /** Sets annotations of a record; undefined removes one. */
  annotateRecord(image: ImageName, annotations: Readonly<Record<string, string | undefined>>): Promise<void>;

  /** Writes the whole status of a user kind as `kuik-report`. */
  applyRuleStatus(rule: Pick<Resource, 'kind' | 'namespace' | 'name'>, status: object): Promise<void>;
  /** Adds or removes one finalizer of a user kind. */
  setFinalizer(rule: Pick<Resource, 'kind' | 'namespace' | 'name'>, finalizer: string, present: boolean): Promise<void>;

  /** Applies our webhook configuration as `kuik-certificates`. */
  applyWebhookConfiguration(configuration: WebhookConfiguration): Promise<void>;
  emitEvent(event: ClusterEvent): Promise<void>;
}

export type WatchedKind = RuleKind | 'ImageAvailability' | 'Pod' | 'Namespace' | 'Node';

export type Watched = { readonly [K in RuleKind]: Resource } & {
  readonly ImageAvailability: RecordObject;
  readonly Pod: Pod;
  readonly Namespace: Namespace;
  readonly Node: Node;
};

/**
 * One step of a watched collection. `synced` says that the first complete list has been delivered.
 * `key` is `namespace/name`, or `name` for cluster-scoped objects.
 */
export type Change<T> =
  | { readonly type: 'put'; readonly key: string; readonly object: T }
  | { readonly type: 'gone'; readonly key: string }
  | { readonly type: 'synced' };

/** A resource of a user kind, decoded no further than its envelope: `api/translate` reads the spec. */
export interface Resource {
  readonly key: string;
  readonly kind: RuleKind;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
  /** RFC 3339 */
  readonly deletionTimestamp?: string;
  readonly spec: unknown;
  readonly status: unknown;
}

/** A record, or why it could not be read. */
export type RecordObject = ImageRecord;

export interface Namespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Node {
  readonly name: string;
  readonly platform: Platform;
}

export interface Secret {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** `kubernetes.io/dockerconfigjson`, ... */
  readonly type: string;
  /** decoded from base64 */
  readonly data: Readonly<Record<string, Uint8Array>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface AppliedSecret {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly data: Readonly<Record<string, Uint8Array>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner?: { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly uid: string };
}

export type { Condition, RecordUsage };

export interface WebhookConfiguration {
  readonly name: string;
  /** `{ url }` outside a cluster, `{ service }` inside */
  readonly client: { readonly url: string } | { readonly service: { readonly namespace: string; readonly name: string; readonly path: string; readonly port: number } };
  /** PEM */
  readonly caBundle: string;
  readonly failurePolicy: 'Ignore' | 'Fail';
  readonly timeoutSeconds: number;
}

/** @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export interface ClusterEvent {
  readonly regarding: { readonly apiVersion: string; readonly kind: string; readonly namespace?: string; readonly name: string; readonly uid?: string };
  readonly type: 'Normal' | 'Warning';
  readonly action: string;
  readonly reason: string;
  readonly note: string;
}
