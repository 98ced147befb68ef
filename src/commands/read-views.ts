import type { Cluster, Namespace, Watched, WatchedKind } from '../cluster/cluster.js';
import type { KubernetesCluster } from '../cluster/kubernetes/client.js';
import { watchedTypes } from '../cluster/kubernetes/resources.js';
import { translateRule } from '../api/translate.js';
import { isFailure } from '../domain/failure.js';
import { ruleKinds } from '../domain/rule.js';
import { workloadKinds } from '../domain/usage.js';
import { NamespacesView } from '../views/namespaces.js';
import { RecordsView } from '../views/records.js';
import { RulesView } from '../views/rules.js';
import { UsageView } from '../views/usage.js';
import { WorkloadsView } from '../views/workloads.js';

export interface ReadViews {
  readonly rules: RulesView;
  readonly records: RecordsView;
  readonly namespaces: NamespacesView;
}

/** The same pictures the webhook keeps, read once. */
export async function readViews(cluster: Pick<Cluster, 'list'>, installNamespace: string, { recordsMayBeAbsent = false }: { /** before the chart was swapped there are none */ readonly recordsMayBeAbsent?: boolean } = {}): Promise<ReadViews> {
  return readWith({
    list: (kind) => cluster.list(kind).catch((error: unknown) => {
      if (recordsMayBeAbsent && kind === 'ImageAvailability' && isFailure(error) && error.code === 'missing') return [];
      throw error;
    }),
  }, installNamespace);
}

/** Pictures with gaps. */
export interface PartViews extends ReadViews {
  /** what may not be read, as `list imageavailabilities`, and so is not in them */
  readonly hidden: readonly string[];
}

/**
 * The same for somebody who may not read the whole cluster: what lies in the namespaces that are asked about, and what
 * is not in the pictures. Rules and labels of other namespaces say nothing about their Pods.
 */
export async function readViewsOf(namespaces: readonly string[], cluster: Pick<KubernetesCluster, 'list' | 'object'>, installNamespace: string): Promise<PartViews> {
  const hidden = new Set<string>();
  const views = await readWith({ list: (kind) => listVisible(kind, namespaces, cluster, hidden) }, installNamespace);
  return { ...views, hidden: [...hidden].sort() };
}

async function listVisible<K extends WatchedKind>(kind: K, namespaces: readonly string[], cluster: Pick<KubernetesCluster, 'list' | 'object'>, hidden: Set<string>): Promise<readonly Watched[K][]> {
  const whole = await unlessDenied(() => cluster.list(kind));
  if (whole !== undefined) return whole;
  if (kind === 'Namespace') return (await Promise.all(namespaces.map((name) => readNamespace(name, cluster, hidden)))).flat() as unknown as readonly Watched[K][];
  if (!isNamespaced(kind)) {
    hidden.add(`list ${watchedTypes[kind].plural}`);
    return [];
  }
  const parts = await Promise.all(
    namespaces.map(async (namespace) => {
      const part = await unlessDenied(() => cluster.list(kind, namespace));
      if (part === undefined) hidden.add(`list ${watchedTypes[kind].plural} in namespace ${namespace}`);
      return part ?? [];
    }),
  );
  return parts.flat();
}

async function readNamespace(name: string, cluster: Pick<KubernetesCluster, 'object'>, hidden: Set<string>): Promise<readonly Namespace[]> {
  const found = await unlessDenied(async () => (await cluster.object(watchedTypes.Namespace, { name })) ?? 'absent');
  if (found === undefined) hidden.add(`get namespaces ${name}`);
  return found === undefined || found === 'absent' ? [] : [{ name, labels: found.metadata.labels ?? {} }];
}

function isNamespaced(kind: WatchedKind): boolean {
  return kind === 'ImageSetMirror' || kind === 'ReplicatedImageSet';
}

/** @returns undefined where one may not */
export async function unlessDenied<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isFailure(error) && error.code === 'denied') return undefined;
    throw error;
  }
}

async function readWith({ list }: Pick<Cluster, 'list'>, installNamespace: string): Promise<ReadViews> {
  const views = { rules: new RulesView(), records: new RecordsView(), namespaces: new NamespacesView() };
  const [records, namespaces] = await Promise.all([
    list('ImageAvailability'),
    list('Namespace'),
    ...ruleKinds.map(async (kind) => {
      for (const resource of await list(kind)) views.rules.apply(kind, { type: 'put', key: resource.key, object: translateRule(resource, { installNamespace }) });
    }),
  ]);
  for (const record of records) views.records.apply({ type: 'put', key: record.name, object: record });
  for (const namespace of namespaces) views.namespaces.apply({ type: 'put', key: namespace.name, object: namespace });
  return views;
}

/** Every Pod, as the manager sees them. @param namespace only those of this one */
export async function readUsage(cluster: Pick<Cluster, 'list'>, { v1ProxyPort, namespace }: { readonly v1ProxyPort: number; readonly namespace?: string }): Promise<UsageView> {
  const usage = new UsageView({ v1ProxyPort });
  for (const pod of await cluster.list('Pod', namespace)) usage.apply({ type: 'put', key: pod.key, object: pod });
  return usage;
}

/** The template of every workload, as a manager sees them where they count. */
export async function readWorkloads(cluster: Pick<Cluster, 'list'>, { v1ProxyPort }: { readonly v1ProxyPort: number }): Promise<WorkloadsView> {
  const workloads = new WorkloadsView({ v1ProxyPort });
  await Promise.all(
    workloadKinds.map(async (kind) => {
      for (const template of await cluster.list(kind)) workloads.apply(kind, { type: 'put', key: template.key, object: template });
    }),
  );
  return workloads;
}
