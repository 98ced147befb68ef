/** A release may have any name, and the names of its objects follow from it: the labels of the chart tell which it is. */
import type { KubernetesCluster } from '../cluster/kubernetes/client.js';
import { configMapType } from '../cluster/kubernetes/resources.js';
import type { Environment } from '../config/environment.js';
import { unlessDenied } from './read-views.js';
import { managerConfigSuffix } from './webhook-names.js';

const labelSelector = 'app.kubernetes.io/part-of=kube-image-keeper,app.kubernetes.io/component=manager';

/**
 * @param environment as somebody told it: a name that was told is that of the installation, whatever else is there
 * @returns the environment with the name of the one installation of that namespace; as it is where there is none, or none
 *   may be looked for; a text, with the next step, where several are and none has the usual name
 */
export async function findInstallation(cluster: Pick<KubernetesCluster, 'objects'>, environment: Environment): Promise<Environment | string> {
  const { installNamespace: namespace, fullName, isFullNameTold } = environment;
  if (isFullNameTold) return environment;
  const found = (await unlessDenied(() => cluster.objects(configMapType, { namespace, labelSelector }))) ?? [];
  const names = found.map(({ metadata: { name } }) => name).filter((name) => name.endsWith(managerConfigSuffix)).map((name) => name.slice(0, -managerConfigSuffix.length));
  const [first] = names;
  if (first === undefined || names.includes(fullName)) return environment;
  if (names.length > 1) return `several installations are in namespace ${namespace}: KUIK_FULL_NAME says which is meant, ${names.join(' or ')}`;
  return { ...environment, fullName: first };
}
