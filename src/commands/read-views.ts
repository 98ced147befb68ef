import type { Cluster } from '../cluster/cluster.js';
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
  const views = { rules: new RulesView(), records: new RecordsView(), namespaces: new NamespacesView() };
  const [records, namespaces] = await Promise.all([
    cluster.list('ImageAvailability').catch((error: unknown) => {
      if (recordsMayBeAbsent && isFailure(error) && error.code === 'missing') return [];
      throw error;
    }),
    cluster.list('Namespace'),
    ...ruleKinds.map(async (kind) => {
      for (const resource of await cluster.list(kind)) views.rules.apply(kind, { type: 'put', key: resource.key, object: translateRule(resource, { installNamespace }) });
    }),
  ]);
  for (const record of records) views.records.apply({ type: 'put', key: record.name, object: record });
  for (const namespace of namespaces) views.namespaces.apply({ type: 'put', key: namespace.name, object: namespace });
  return views;
}

/** Every Pod, as the manager sees them. */
export async function readUsage(cluster: Pick<Cluster, 'list'>, { v1ProxyPort }: { readonly v1ProxyPort: number }): Promise<UsageView> {
  const usage = new UsageView({ v1ProxyPort });
  for (const pod of await cluster.list('Pod')) usage.apply({ type: 'put', key: pod.key, object: pod });
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
