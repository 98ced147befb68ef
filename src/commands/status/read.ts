import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { Environment } from '../../config/environment.js';
import { ruleKinds } from '../../domain/rule.js';
import type { Status } from '../documents/status.js';
import { readBuild } from '../version.js';
import { readInstallation } from './installation.js';
import { statusOf } from './picture.js';

type Asked = Pick<KubernetesCluster, 'list' | 'object' | 'registeredWebhook' | 'context'>;

/** @param namespace where somebody says kuik is installed */
export function environmentFor({ namespace }: { readonly namespace?: string }, environment: Environment): Environment {
  return namespace === undefined ? environment : { ...environment, installNamespace: namespace };
}

export async function readStatus(cluster: Asked, environment: Environment): Promise<Status> {
  const [installation, records, ...rules] = await Promise.all([readInstallation(cluster, environment), cluster.list('ImageAvailability'), ...ruleKinds.map((kind) => cluster.list(kind))]);
  const { version } = readBuild();
  return statusOf({ version, context: cluster.context, namespace: environment.installNamespace, installation, records, rules: rules.flat(), now: Date.now() });
}
