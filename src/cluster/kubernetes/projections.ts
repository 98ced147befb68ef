import { translateRecord } from '../../api/translate-record.js';
import { podOf, templateOf } from '../../domain/pod.js';
import { fieldManagers } from '../../domain/names.js';
import type { Platform } from '../../domain/platform.js';
import type { RuleKind } from '../../domain/rule.js';
import type { Pod, WorkloadKind } from '../../domain/usage.js';
import type { Namespace, Node, Resource, Watched, WatchedKind } from '../cluster.js';
import { statusWriters, type ManagedFields } from './managed-fields.js';
import type { Projection } from './reflector.js';

type Texts = Readonly<Record<string, string>>;

/** The envelope every object has; the schema of the API server vouches for its shape. */
interface Envelope {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly generation?: number;
    readonly labels?: Texts;
    readonly annotations?: Texts;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
    readonly managedFields?: readonly ManagedFields[];
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** How each watched kind is read. The unread rest of an object is let go at once. */
export const projections: { readonly [K in WatchedKind]: Projection<Watched[K]> } = {
  ClusterImageSetMirror: resourceProjection('ClusterImageSetMirror'),
  ImageSetMirror: resourceProjection('ImageSetMirror'),
  ClusterReplicatedImageSet: resourceProjection('ClusterReplicatedImageSet'),
  ReplicatedImageSet: resourceProjection('ReplicatedImageSet'),
  ClusterImageSetAvailability: resourceProjection('ClusterImageSetAvailability'),
  ImageAvailability: { project: translateRecord, keyOf: nameOf },
  Pod: { project: wholePod, keyOf },
  Namespace: { project: (object) => namespaceOf(object as unknown as Envelope), keyOf: nameOf },
  Node: { project: (object) => nodeOf(object as unknown as Envelope), keyOf: nameOf },
  Deployment: templateProjection('Deployment'),
  StatefulSet: templateProjection('StatefulSet'),
  DaemonSet: templateProjection('DaemonSet'),
  CronJob: templateProjection('CronJob'),
  Job: templateProjection('Job'),
};

/** No Pod is without containers: whoever sends one leaves something out, and then nobody knows what it uses. */
function wholePod(object: unknown): Pod {
  const { containers } = (object as { readonly spec?: { readonly containers?: unknown } }).spec ?? {};
  if (!Array.isArray(containers) || containers.length === 0) throw new TypeError('pod without containers');
  return podOf(object);
}

function templateProjection(kind: WorkloadKind): Projection<Pod> {
  return { project: (object) => templateOf(kind, object), keyOf };
}

function resourceProjection(kind: RuleKind): Projection<Resource> {
  return { project: (object) => resourceOf(kind, object as unknown as Envelope), keyOf };
}

function resourceOf(kind: RuleKind, { metadata, spec, status }: Envelope): Resource {
  const { name, namespace, uid, deletionTimestamp } = metadata;
  const otherWriters = statusWriters(metadata.managedFields ?? []).filter((manager) => manager !== fieldManagers.report);
  return {
    key: namespace === undefined ? name : `${namespace}/${name}`,
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    uid,
    generation: metadata.generation ?? 0,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    finalizers: metadata.finalizers ?? [],
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    spec,
    status,
    ...(otherWriters.length === 0 ? {} : { otherWriters }),
  };
}

function namespaceOf({ metadata }: Envelope): Namespace {
  return { name: metadata.name, labels: metadata.labels ?? {} };
}

/** The kubelet states the platform twice: in `status.nodeInfo`, empty before it first reports, and as well-known labels. */
function nodeOf({ metadata, status }: Envelope): Node {
  const info = (status as { readonly nodeInfo?: { readonly operatingSystem?: string; readonly architecture?: string } } | undefined)?.nodeInfo;
  const platform: Platform = {
    os: info?.operatingSystem || (metadata.labels?.['kubernetes.io/os'] ?? ''),
    architecture: info?.architecture || (metadata.labels?.['kubernetes.io/arch'] ?? ''),
  };
  return { name: metadata.name, platform };
}

function keyOf(projected: { readonly key: string }): string {
  return projected.key;
}

function nameOf(projected: { readonly name: string }): string {
  return projected.name;
}
