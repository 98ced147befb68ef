import type { EventReason } from '../domain/event-reasons.js';
import type { FailureInfo } from '../domain/failure.js';
import type { ImageName } from '../domain/image-ref.js';
import type { FieldManager } from '../domain/names.js';
import type { Platform } from '../domain/platform.js';
import type { ImageRecord, PlaceRecord, RecordUsage } from '../domain/record.js';
import type { AppliedSecret, Secret } from '../domain/secret.js';
import type { RuleKind, SecretRef } from '../domain/rule.js';
import type { Pod, WorkloadKind } from '../domain/usage.js';

/**
 * The port to one Kubernetes cluster. Errors are `Failure` with side `cluster`; absent objects are `undefined`.
 * The conformance suite (`test/conformance/cluster.ts`) runs on the twin and on a real API server.
 */
export interface Cluster {
  /**
   * Lists and watches one kind until the signal aborts: retries for ever, with back-off. A gap in the watch
   * is closed by a new list, whose difference arrives as ordinary changes, deletions included.
   *
   * @param namespace only objects of this one, which needs fewer rights; for kinds that have namespaces
   */
  watch<K extends WatchedKind>(kind: K, onChange: (change: Change<Watched[K]>) => void, signal: AbortSignal, namespace?: string): Promise<void>;
  /** How the running watches stand: for readiness, `kuik status` and metrics. */
  watchHealth(): readonly WatchHealth[];
  /**
   * A fresh and complete list, not from any cache of ours: deletion and the command line need no less.
   *
   * @param namespace as for `watch`
   */
  list<K extends WatchedKind>(kind: K, namespace?: string): Promise<readonly Watched[K][]>;

  /** A Pod as it is now. */
  pod(namespace: string, name: string): Promise<Pod | undefined>;
  /** @throws Failure `missing` when there is no such namespace */
  namespaceUid(name: string): Promise<string>;
  /** Read by name; Secrets are never listed or watched. */
  secret(ref: SecretRef): Promise<Secret | undefined>;
  /**
   * Server-side apply. A Secret somebody else made is a `conflict`, unless its labels name the same owner; as
   * `kuik-certificates` it is taken over. The type of a Secret never changes: another one is `invalid`.
   */
  applySecret(secret: AppliedSecret, manager: FieldManager): Promise<void>;
  /** Makes a Secret under a name that is free, of several who try one does; nothing happens when it is taken. */
  createSecret(secret: AppliedSecret): Promise<'created' | 'present'>;
  /**
   * Removing what is gone already is success.
   *
   * @param version only while the Secret is as it was read; @throws Failure `conflict` when it has changed
   */
  deleteSecret(ref: SecretRef, version?: string): Promise<void>;

  configMap(ref: ObjectRef): Promise<ConfigMap | undefined>;
  /** Sets these keys and leaves others as they are, as `kuik-report`; creates it when absent. */
  setConfigMap(ref: ObjectRef, data: Readonly<Record<string, string>>): Promise<void>;
  /** Sets annotations as `kuik-cli`; undefined removes one; a dry run stores nothing. @throws Failure `missing` */
  annotateConfigMap(ref: ObjectRef, annotations: Readonly<Record<string, string | undefined>>, options?: { readonly dryRun?: boolean }): Promise<void>;

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
  /** Removing what is gone already is success. */
  deleteRecord(image: ImageName): Promise<void>;
  /**
   * Sets annotations of a record as `kuik-cli`; undefined removes one.
   *
   * @returns the record as it is from then on; a dry run asks the API server and stores nothing
   * @throws Failure `missing`
   */
  annotateRecord(image: ImageName, annotations: Readonly<Record<string, string | undefined>>, options?: { readonly dryRun?: boolean }): Promise<ImageRecord>;
  /** Takes an annotation of a record away if it still has this value; nothing happens when it has another, or the record is gone. */
  takeAnnotation(image: ImageName, annotation: string, value: string): Promise<void>;

  /** Writes the whole status of a user kind as `kuik-report`; nothing happens when the rule is gone. */
  applyRuleStatus(rule: Pick<Resource, 'kind' | 'namespace' | 'name'>, status: object): Promise<void>;
  /** Adds or removes one finalizer of a user kind; nothing happens when the rule is gone. */
  setFinalizer(rule: Pick<Resource, 'kind' | 'namespace' | 'name'>, finalizer: string, present: boolean): Promise<void>;

  /**
   * Changes a small text that all replicas share: reads it, and writes what `change` makes of it under the version it
   * was read at; who was slower reads again. Nothing is written when the text stays as it is.
   *
   * @returns what `change` answered about the text that is there now
   */
  changeNote<T>(note: NoteRef, change: (text: string | undefined) => { readonly text: string | undefined; readonly answer: T }): Promise<T>;

  /** How our webhook is registered under the name of a configuration; undefined when it is not. */
  registeredWebhook(name: string): Promise<RegisteredWebhook | undefined>;
  /** Applies our webhook configuration as `kuik-certificates`. */
  applyWebhookConfiguration(configuration: WebhookConfiguration): Promise<void>;
  /** At most one write per object and reason in five minutes; what comes between is counted in its series. */
  emitEvent(event: ClusterEvent): Promise<void>;
}

export type WatchedKind = RuleKind | WorkloadKind | 'ImageAvailability' | 'Pod' | 'Namespace' | 'Node';

/** Of workloads only the template is read, as the Pod it would make. */
export type Watched = { readonly [K in RuleKind]: Resource } & { readonly [K in WorkloadKind]: Pod } & {
  readonly ImageAvailability: ImageRecord;
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

/** Where a note is kept: an annotation of a Lease, since those are ours to write in the install namespace anyway. */
export interface NoteRef {
  readonly namespace: string;
  readonly name: string;
}

/** How one watch stands. Times are milliseconds since the epoch. */
export interface WatchHealth {
  readonly kind: WatchedKind;
  /** a stream of changes is open right now */
  readonly connected: boolean;
  /** when the last complete list was delivered; undefined before the first */
  readonly listedAt?: number;
  /** since when every change was read and handled without an error; undefined while that is not so */
  readonly steadySince?: number;
  /** objects of the last picture */
  readonly objects: number;
  /** what stands between us and the API server; undefined while all is well */
  readonly lastError?: FailureInfo;
  /** changes a handler threw on; they come again with the next list */
  readonly handlerErrors: number;
  /** objects that could not be read, each left out */
  readonly unreadable: number;
}

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
  /** who has written into the status since we last did; absent: nobody */
  readonly otherWriters?: readonly string[];
}

export interface Namespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Node {
  readonly name: string;
  readonly platform: Platform;
}

/** An object of a namespace. */
export interface ObjectRef {
  readonly namespace: string;
  readonly name: string;
}

export interface ConfigMap extends ObjectRef {
  readonly data: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface WebhookConfiguration {
  readonly name: string;
  /** `{ url }` outside a cluster, `{ service }` inside */
  readonly client: { readonly url: string } | { readonly service: { readonly namespace: string; readonly name: string; readonly path: string; readonly port: number } };
  /** PEM */
  readonly caBundle: string;
  readonly failurePolicy: 'Ignore' | 'Fail';
  readonly timeoutSeconds: number;
  /** `caBundle` where a chart owns the rest of the object; the whole object otherwise */
  readonly write?: 'caBundle' | 'whole';
}

export interface RegisteredWebhook {
  readonly reachedBy: 'service' | 'url';
  /** PEM; empty while nobody is trusted */
  readonly caBundle: string;
}

/** @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export interface ClusterEvent {
  readonly regarding: { readonly apiVersion: string; readonly kind: string; readonly namespace?: string; readonly name: string; readonly uid?: string };
  readonly type: 'Normal' | 'Warning';
  readonly action: string;
  readonly reason: EventReason;
  readonly note: string;
  /** a few hexadecimal digits that follow from what happened: such an event is written once, whoever else knows of it */
  readonly once?: string;
}
