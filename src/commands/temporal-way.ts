/** The way to Temporal, and to its UI: a port of a Pod through the API server, so that Kubernetes rights are all it needs. */
import { parse } from 'yaml';
import type { KubernetesCluster } from '../cluster/kubernetes/client.js';
import type { ApiObject } from '../cluster/kubernetes/objects.js';
import { watchedTypes } from '../cluster/kubernetes/resources.js';
import type { Environment } from '../config/environment.js';
import { isFailure } from '../domain/failure.js';
import { withNextStep } from './ask-cluster.js';
import { readyFirst } from './ready-pods.js';
import { managerConfigName } from './webhook-names.js';

export interface TemporalWay {
  /** on 127.0.0.1 */
  readonly port: number;
  /** of Temporal */
  readonly namespace: string;
  readonly close: () => Promise<void>;
}

/** What the configuration of the manager says. */
interface Told {
  readonly address?: string;
  readonly namespace: string;
}

type Asked = Pick<KubernetesCluster, 'configMap' | 'objects' | 'forward'>;
type Installed = Pick<Environment, 'installNamespace' | 'fullName'>;

/**
 * @param which `grpc`: what clients talk to; `ui`: what browsers do
 * @returns why there is no way, with the next step, as a text
 */
export async function openTemporal(cluster: Asked, environment: Installed, which: 'grpc' | 'ui', localPort = 0): Promise<TemporalWay | string> {
  try {
    return await reachTemporal(cluster, environment, which, localPort);
  } catch (error) {
    if (!isFailure(error)) throw error;
    return withNextStep(error);
  }
}

/**
 * The same for who can do something about a failure.
 *
 * @returns why there is no way, when no Pod of Temporal is there
 * @throws Failure side `cluster`: the API server fails us, or refuses
 */
export async function reachTemporal(cluster: Asked, environment: Installed, which: 'grpc' | 'ui', localPort = 0): Promise<TemporalWay | string> {
  const told = await readTold(cluster, environment);
  const found = await findPod(cluster, environment.installNamespace, which);
  if (found === undefined) return absentText(told, environment.installNamespace, which);
  const { port, close } = await cluster.forward({ namespace: environment.installNamespace, name: found.name }, found.port, localPort);
  return { port, close, namespace: told.namespace };
}

const usualNamespace = 'kuik';

/** Who may not read the configuration is told nothing of it, and gets the usual. */
async function readTold(cluster: Asked, environment: Installed): Promise<Told> {
  const found = await cluster.configMap({ namespace: environment.installNamespace, name: managerConfigName({ environment }) }).catch((error: unknown) => {
    if (isFailure(error) && error.code === 'denied') return undefined;
    throw error;
  });
  const { temporal } = (found === undefined ? {} : (parse(found.data['config.yaml'] ?? '') ?? {})) as { temporal?: { address?: string; namespace?: string } };
  return { ...(temporal?.address === undefined ? {} : { address: temporal.address }), namespace: temporal?.namespace ?? usualNamespace };
}

const components = { grpc: 'temporal', ui: 'temporal-ui,temporal' } as const;

/** The development server of the demo profile has both ports; ready Pods come first. */
async function findPod(cluster: Asked, namespace: string, which: 'grpc' | 'ui'): Promise<{ readonly name: string; readonly port: number } | undefined> {
  const pods = (await cluster.objects(watchedTypes.Pod, { namespace, labelSelector: `app.kubernetes.io/component in (${components[which]})` })) ?? [];
  const [pod] = readyFirst(pods.filter((each) => portOf(each, which) !== undefined));
  const port = pod === undefined ? undefined : portOf(pod, which);
  return pod === undefined || port === undefined ? undefined : { name: pod.metadata.name, port };
}

function portOf(pod: ApiObject, name: string): number | undefined {
  const { containers = [] } = (pod['spec'] ?? {}) as { containers?: readonly { ports?: readonly { name?: string; containerPort: number }[] }[] };
  return containers.flatMap(({ ports = [] }) => ports).find((port) => port.name === name)?.containerPort;
}

function absentText({ address }: Told, namespace: string, which: 'grpc' | 'ui'): string {
  const what = which === 'ui' ? "no Pod of Temporal's UI" : 'no Pod of Temporal';
  const elsewhere = address === undefined || address.includes(`.${namespace}.svc`) ? '; is kuik installed there? -n names another namespace' : `: kuik uses the one at ${address}, which is not reached through this cluster`;
  return `${what} in namespace ${namespace}${elsewhere}`;
}
