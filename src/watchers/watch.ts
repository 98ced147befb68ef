import { translateRule, type TranslateSettings } from '../api/translate.js';
import type { Change, Cluster, Resource } from '../cluster/cluster.js';
import { ruleKinds, type RuleKind } from '../domain/rule.js';
import { workloadKinds } from '../domain/usage.js';
import type { NodesView } from '../views/nodes.js';
import type { NamespacesView } from '../views/namespaces.js';
import type { RecordsView } from '../views/records.js';
import type { RulesView } from '../views/rules.js';
import type { UsageView } from '../views/usage.js';
import type { WorkloadsView } from '../views/workloads.js';

/** What a process keeps in memory of its cluster. Only the manager needs to know every Pod. */
export interface Views {
  readonly rules: RulesView;
  readonly records: RecordsView;
  readonly namespaces: NamespacesView;
  readonly usage?: UsageView;
  /** only where their platforms are wanted */
  readonly nodes?: NodesView;
  /** only where templates count as using an image */
  readonly workloads?: WorkloadsView;
  /** told of every change of a resource, before its rule changes */
  readonly onResource?: (kind: RuleKind, change: Change<Resource>) => void;
}

/**
 * Feeds the views until the signal aborts. A resource that makes no sense becomes a rule with problems, here and
 * nowhere else.
 */
export async function watchCluster(cluster: Pick<Cluster, 'watch'>, views: Views, settings: TranslateSettings, signal: AbortSignal): Promise<void> {
  const { rules, records, namespaces, usage, nodes, workloads } = views;
  const watches = ruleKinds.map((kind) =>
    cluster.watch(
      kind,
      (change) => {
        views.onResource?.(kind, change);
        rules.apply(kind, change.type === 'put' ? { ...change, object: translateRule(change.object, settings) } : change);
      },
      signal,
    ),
  );
  watches.push(
    cluster.watch('ImageAvailability', (change) => records.apply(change), signal),
    cluster.watch('Namespace', (change) => namespaces.apply(change), signal),
  );
  if (usage !== undefined) watches.push(cluster.watch('Pod', (change) => usage.apply(change), signal));
  if (nodes !== undefined) watches.push(cluster.watch('Node', (change) => nodes.apply(change), signal));
  if (workloads !== undefined) watches.push(...workloadKinds.map((kind) => cluster.watch(kind, (change) => workloads.apply(kind, change), signal)));
  await Promise.all(watches);
}

/** Each view there has to be, and whether its first complete list has arrived. */
export function syncedViews({ rules, records, namespaces, usage }: Views): Readonly<Record<string, boolean>> {
  const views = { rules, records, namespaces, ...(usage === undefined ? {} : { usage }) };
  return Object.fromEntries(Object.entries(views).map(([name, { isSynced }]) => [name, isSynced]));
}

/** Names of the views whose first complete list has not arrived yet. */
export function unsyncedViews(views: Views): readonly string[] {
  return Object.entries(syncedViews(views)).flatMap(([name, isSynced]) => (isSynced ? [] : [name]));
}

/** Names of the views that are waited for at the start, though not for ever: what they add is optional. */
export function awaitedViews({ nodes, workloads }: Views): readonly string[] {
  const views = { ...(nodes === undefined ? {} : { nodes }), ...(workloads === undefined ? {} : { workloads }) };
  return Object.entries(views).flatMap(([name, view]) => (view.isSynced ? [] : [name]));
}
