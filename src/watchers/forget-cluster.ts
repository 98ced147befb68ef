import type { Cluster, ObjectRef } from '../cluster/cluster.js';
import { annotations } from '../domain/names.js';
import { forgottenKey, isClusterId, type ForgottenReport } from '../domain/sweep.js';

export interface ForgetDeps {
  readonly cluster: Pick<Cluster, 'configMap' | 'setConfigMap' | 'annotateConfigMap'>;
  /** the ConfigMap of known clusters */
  readonly at: ObjectRef;
  /** our own cluster ID */
  readonly self: string;
  /** has every keeper drop the claim of a cluster; returns how many were told */
  readonly forget: (cluster: string) => Promise<number>;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

/**
 * Carries out `kuik cluster forget`, which is an annotation on the ConfigMap of known clusters, and writes how it
 * ended beside it. The annotation goes last: what fails in between is done again, and does no harm twice.
 *
 * @throws Failure when a keeper or the cluster cannot be reached: the next look repeats it
 */
export async function carryOutForget({ cluster, at, self, forget, now }: ForgetDeps): Promise<void> {
  const { annotations: asked = {} } = (await cluster.configMap(at)) ?? {};
  const [id, requestedAt = ''] = [asked[annotations.forgetCluster], asked[annotations.requestedAt]];
  if (id === undefined) return;

  const refused = whyNot(id, self);
  const keepers = refused === undefined ? await forget(id) : 0;
  const report: ForgottenReport = { v: 1, cluster: id, requestedAt, at: new Date(now()).toISOString(), keepers, ...(refused === undefined ? {} : { refused }) };
  await cluster.setConfigMap(at, { [forgottenKey]: JSON.stringify(report) });
  await cluster.annotateConfigMap(at, { [annotations.forgetCluster]: undefined, [annotations.requestedAt]: undefined });
}

function whyNot(id: string, self: string): string | undefined {
  if (id === self) return 'this is the cluster itself, and it lives: its claims would come back with the next renewal';
  return isClusterId(id) ? undefined : 'not a cluster ID: 1 to 63 characters of a-z, 0-9, . and -';
}
