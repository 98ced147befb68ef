/** The configuration as the manager has it: what is asked about a cluster is answered by its own settings. */
import type { KubernetesCluster } from '../cluster/kubernetes/client.js';
import type { Config } from '../config/config.js';
import type { Environment } from '../config/environment.js';
import { loadConfig } from '../config/load-config.js';
import { isFailure } from '../domain/failure.js';
import { managerConfigName } from './webhook-names.js';

/**
 * @returns a text that says why there is none: what is wrong with it; the defaults where there is no ConfigMap, or you
 *   may not read it
 */
export async function readManagerConfig(cluster: Pick<KubernetesCluster, 'configMap'>, environment: Pick<Environment, 'installNamespace' | 'fullName'>): Promise<Config | string> {
  const name = managerConfigName({ environment });
  const found = await cluster.configMap({ namespace: environment.installNamespace, name }).catch((error: unknown) => {
    if (isFailure(error) && error.code === 'denied') return undefined;
    throw error;
  });
  // files it names are in the Pods, and not here; nothing that is asked with it needs them
  const { config, problems } = loadConfig(found?.data['config.yaml'], { readFile: () => '', installNamespace: environment.installNamespace });
  return config ?? `ConfigMap ${environment.installNamespace}/${name}: ${problems.join('; ')}`;
}
