/** Names that the cluster knows. Whoever waits for a completion does not wait long, and reads no error. */
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import { replicaSetType, watchedTypes, type ResourceType } from '../../cluster/kubernetes/resources.js';
import { parseImageRef } from '../../domain/image-ref.js';
import type { ImageRecord } from '../../domain/record.js';
import type { RuleKind } from '../../domain/rule.js';
import type { Candidate } from './candidates.js';

export type NameKind = 'image' | 'rule' | 'mirror-rule' | 'registry' | 'namespace' | 'context' | 'cluster' | 'workload' | 'shell' | 'version';

const longestMs = 3_000;

/** @param typed the words before: whose cluster is asked stands among them */
export async function namesOf(kind: NameKind, current: string, typed: readonly string[]): Promise<readonly Candidate[]> {
  if (kind === 'shell') return ['bash', 'zsh', 'fish', 'powershell'].map((value) => ({ value }));
  if (kind === 'version') return ['v1', 'v2'].map((value) => ({ value }));
  try {
    return await Promise.race([ask(kind, current, typed), late()]);
  } catch {
    return []; // no cluster, no right, no kubeconfig: nothing to offer
  }
}

function late(): Promise<readonly Candidate[]> {
  return new Promise((resolve) => setTimeout(() => resolve([]), longestMs).unref());
}

async function ask(kind: Exclude<NameKind, 'shell' | 'version'>, current: string, typed: readonly string[]): Promise<readonly Candidate[]> {
  const [{ loadKubeConfig }, { readEnvironment }, { connectCluster }] = await Promise.all([import('../../cluster/kubernetes/kubeconfig.js'), import('../../config/environment.js'), import('../../cluster/kubernetes/client.js')]);
  const environment = readEnvironment();
  const { kubeconfig, home } = environment;
  const config = loadKubeConfig({ file: valueOf(['--kubeconfig'], typed), kubeconfig, home, context: kind === 'context' ? undefined : valueOf(['--context'], typed) });
  if (kind === 'context') return config.getContexts().map(({ name, cluster }) => ({ value: name, description: cluster }));
  const cluster = connectCluster(config, { instance: 'kuik-cli' });
  try {
    return await askers[kind](cluster, { current, namespace: valueOf(['--namespace', '-n'], typed), installNamespace: environment.installNamespace });
  } finally {
    cluster.close();
  }
}

interface Question {
  readonly current: string;
  readonly namespace?: string;
  readonly installNamespace: string;
}

type Asker = (cluster: KubernetesCluster, question: Question) => Promise<readonly Candidate[]>;

const askers: Readonly<Record<Exclude<NameKind, 'shell' | 'version' | 'context'>, Asker>> = {
  image: async (cluster) => (await cluster.list('ImageAvailability')).flatMap(imageNames),
  registry: async (cluster) => [...new Set((await cluster.list('ImageAvailability')).flatMap(({ places }) => places.flatMap(({ reference }) => parseImageRef(reference)?.host ?? [])))].sort().map((value) => ({ value })),
  rule: (cluster) => ruleNames(cluster, ['ClusterImageSetMirror', 'ImageSetMirror', 'ClusterReplicatedImageSet', 'ReplicatedImageSet', 'ClusterImageSetAvailability']),
  'mirror-rule': (cluster) => ruleNames(cluster, ['ClusterImageSetMirror', 'ImageSetMirror']),
  namespace: async (cluster) => (await cluster.list('Namespace')).map(({ name }) => ({ value: name })),
  cluster: async (cluster, { namespace, installNamespace }) => {
    const { knownOf } = await import('../cluster/known.js');
    const { clustersName } = await import('../../domain/names.js');
    const found = await cluster.configMap({ namespace: namespace ?? installNamespace, name: clustersName });
    return (found === undefined ? [] : (knownOf(found).report?.clusters ?? [])).map(({ id, claims }) => ({ value: id, description: `${claims} claims` }));
  },
  workload: workloadNames,
};

/** As people write them, and in full: whoever has typed the host means that. */
function imageNames({ image, pods }: ImageRecord): readonly Candidate[] {
  const short = image.replace(/^docker\.io\/(?:library\/)?/, '');
  const description = pods > 0 ? `used by ${pods} Pods` : 'unused';
  return [...new Set([short, image])].map((value) => ({ value, description }));
}

const shortKinds: Readonly<Record<RuleKind, string>> = { ClusterImageSetMirror: 'cism', ImageSetMirror: 'ism', ClusterReplicatedImageSet: 'cris', ReplicatedImageSet: 'ris', ClusterImageSetAvailability: 'cisa' };

async function ruleNames(cluster: KubernetesCluster, kinds: readonly RuleKind[]): Promise<readonly Candidate[]> {
  const found = await Promise.all(kinds.map(async (kind) => (await cluster.list(kind)).map(({ key }) => ({ value: `${shortKinds[kind]}/${key}`, description: kind }))));
  return found.flat();
}

const workloads: Readonly<Record<string, ResourceType>> = { pod: watchedTypes.Pod, deploy: watchedTypes.Deployment, sts: watchedTypes.StatefulSet, ds: watchedTypes.DaemonSet, rs: replicaSetType, job: watchedTypes.Job, cronjob: watchedTypes.CronJob };

/** First the kind, then the names of that kind. */
async function workloadNames(cluster: KubernetesCluster, { current, namespace }: Question): Promise<readonly Candidate[]> {
  const [kind = ''] = current.split('/');
  const type = current.includes('/') && Object.hasOwn(workloads, kind) ? workloads[kind] : undefined;
  if (type === undefined) return Object.keys(workloads).map((name) => ({ value: `${name}/` }));
  const found = (await cluster.objects(type, { namespace: namespace ?? cluster.namespace })) ?? [];
  return found.map(({ metadata }) => ({ value: `${kind}/${metadata.name}` }));
}

/** `--context NAME`, `--context=NAME`, `-n NAME`; the last one counts. */
function valueOf(flags: readonly string[], typed: readonly string[]): string | undefined {
  let value: string | undefined;
  typed.forEach((word, at) => {
    if (flags.includes(word)) value = typed[at + 1] ?? value;
    const flag = flags.find((each) => word.startsWith(`${each}=`));
    if (flag !== undefined) value = word.slice(flag.length + 1);
  });
  return value;
}
