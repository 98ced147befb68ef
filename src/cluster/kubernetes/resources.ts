import { apiGroup } from '../../domain/names.js';
import type { WatchedKind } from '../cluster.js';

/** A kind as the API server addresses it. */
export interface ResourceType {
  /** empty for the core group */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
}

/** One object, or a whole collection without `name`. */
export interface Address {
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

const ours = (kind: string, plural: string): ResourceType => ({ group: apiGroup, version: 'v1alpha1', plural, kind });
const core = (kind: string, plural: string): ResourceType => ({ group: '', version: 'v1', plural, kind });
const apps = (kind: string, plural: string): ResourceType => ({ group: 'apps', version: 'v1', plural, kind });
const batch = (kind: string, plural: string): ResourceType => ({ group: 'batch', version: 'v1', plural, kind });

export const watchedTypes: Readonly<Record<WatchedKind, ResourceType>> = {
  ClusterImageSetMirror: ours('ClusterImageSetMirror', 'clusterimagesetmirrors'),
  ImageSetMirror: ours('ImageSetMirror', 'imagesetmirrors'),
  ClusterReplicatedImageSet: ours('ClusterReplicatedImageSet', 'clusterreplicatedimagesets'),
  ReplicatedImageSet: ours('ReplicatedImageSet', 'replicatedimagesets'),
  ClusterImageSetAvailability: ours('ClusterImageSetAvailability', 'clusterimagesetavailabilities'),
  ImageAvailability: ours('ImageAvailability', 'imageavailabilities'),
  Pod: core('Pod', 'pods'),
  Namespace: core('Namespace', 'namespaces'),
  Node: core('Node', 'nodes'),
  Deployment: apps('Deployment', 'deployments'),
  StatefulSet: apps('StatefulSet', 'statefulsets'),
  DaemonSet: apps('DaemonSet', 'daemonsets'),
  CronJob: batch('CronJob', 'cronjobs'),
  Job: batch('Job', 'jobs'),
};

export const replicaSetType = apps('ReplicaSet', 'replicasets');
export const serviceAccountType = core('ServiceAccount', 'serviceaccounts');
export const secretType = core('Secret', 'secrets');
export const configMapType = core('ConfigMap', 'configmaps');
export const eventType: ResourceType = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event' };
export const leaseType: ResourceType = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' };
export const webhookType: ResourceType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'mutatingwebhookconfigurations',
  kind: 'MutatingWebhookConfiguration',
};

export const clusterRoleBindingType: ResourceType = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterrolebindings', kind: 'ClusterRoleBinding' };

/** `v1`, or `<group>/<version>` */
export function apiVersionOf({ group, version }: ResourceType): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Path below the server's URL; every part that comes from outside is escaped. */
export function pathOf(type: ResourceType, { namespace, name, subresource }: Address): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${type.plural}${object}${subresource === undefined ? '' : `/${subresource}`}`;
}

/** `pods`, `pods in namespace default`, `imageavailabilities/status default/web`, ...: how failures name what was asked for. */
export function addressText(type: ResourceType, { namespace, name, subresource }: Address): string {
  const resource = subresource === undefined ? type.plural : `${type.plural}/${subresource}`;
  if (name === undefined) return namespace === undefined ? resource : `${resource} in namespace ${namespace}`;
  return `${resource} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}
