/** What goes into the archive. What one may not read is named in it, and the rest is gathered all the same. */
import { stringify } from 'yaml';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { ApiObject } from '../../cluster/kubernetes/objects.js';
import { configMapType, eventType, leaseType, watchedTypes, webhookType, type ResourceType } from '../../cluster/kubernetes/resources.js';
import { isFailure, type FailureCode } from '../../domain/failure.js';
import { ruleKinds } from '../../domain/rule.js';
import { documentText } from '../output.js';
import { redactedObject, redactedText } from './redact.js';
import type { ArchivedFile } from './tar.js';

export interface Gathering {
  readonly namespace: string;
  readonly logs: boolean;
  /** what `kuik status` says */
  readonly status: () => Promise<object>;
  readonly onProgress: (what: string) => void;
}

type Asked = Pick<KubernetesCluster, 'objects' | 'podLog'>;

/**
 * Objects of the whole cluster are ours; others only of the install namespace.
 *
 * @throws Failure when there is no way to the cluster at all
 */
export async function gather(cluster: Asked, options: Gathering): Promise<readonly ArchivedFile[]> {
  const missed: string[] = [];
  const files: ArchivedFile[] = [];
  const status = await orMissed(options.status, 'status.yaml', missed, noWay);
  if (status !== undefined) files.push({ path: 'status.yaml', content: await documentText(redactedObject(status) as object, 'yaml') });
  for (const { path, type, query } of collections(options.namespace)) {
    options.onProgress(path);
    const found = await orMissed(async () => (await cluster.objects(type, query)) ?? 'unknown', path, missed);
    if (found === 'unknown') missed.push(`${path}: this cluster knows no ${type.plural}`);
    else if (found !== undefined && found.length > 0) files.push({ path, content: documents(found) });
  }
  if (options.logs) files.push(...(await gatherLogs(cluster, options, missed)));
  return missed.length === 0 ? files : [...files, { path: 'missing.txt', content: `${missed.join('\n')}\n` }];
}

interface Collection {
  readonly path: string;
  readonly type: ResourceType;
  readonly query?: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string };
}

function collections(namespace: string): readonly Collection[] {
  const here = (path: string, type: ResourceType): Collection => ({ path: `installation/${path}.yaml`, type, query: { namespace } });
  const ours = [...ruleKinds, 'ImageAvailability'] as const;
  return [
    ...ours.map((kind) => ({ path: `resources/${watchedTypes[kind].plural}.yaml`, type: watchedTypes[kind] })),
    ...ours.map((kind) => ({ path: `events/${watchedTypes[kind].plural}.yaml`, type: eventType, query: { fieldSelector: `regarding.kind=${kind}` } })),
    { path: 'events/installation.yaml', type: eventType, query: { namespace } },
    here('pods', watchedTypes.Pod),
    here('deployments', watchedTypes.Deployment),
    here('statefulsets', watchedTypes.StatefulSet),
    here('jobs', watchedTypes.Job),
    here('configmaps', configMapType),
    here('leases', leaseType),
    { path: 'installation/webhooks.yaml', type: webhookType, query: { labelSelector: 'app.kubernetes.io/part-of=kube-image-keeper' } },
  ];
}

function documents(objects: readonly ApiObject[]): string {
  return objects.map((object) => `---\n${stringify(redactedObject(object), { lineWidth: 0, aliasDuplicateObjects: false })}`).join('');
}

const lastLines = 5_000;

async function gatherLogs(cluster: Asked, { namespace, onProgress }: Gathering, missed: string[]): Promise<readonly ArchivedFile[]> {
  const pods = (await orMissed(() => cluster.objects(watchedTypes.Pod, { namespace }), 'logs', missed)) ?? [];
  const files: ArchivedFile[] = [];
  for (const pod of pods) {
    for (const { container, restarts } of containersOf(pod)) {
      for (const previous of restarts > 0 ? [false, true] : [false]) {
        const path = `logs/${pod.metadata.name}/${container}${previous ? '-previous' : ''}.log`;
        onProgress(path);
        const log = await orMissed(() => cluster.podLog({ namespace, name: pod.metadata.name }, { container, lastLines, previous }), path, missed);
        if (log !== undefined && log !== '') files.push({ path, content: redactedText(log) });
      }
    }
  }
  return files;
}

interface PodFields {
  readonly spec?: { readonly containers?: readonly { readonly name: string }[]; readonly initContainers?: readonly { readonly name: string }[] };
  readonly status?: { readonly containerStatuses?: readonly { readonly name: string; readonly restartCount?: number }[] };
}

function containersOf(pod: ApiObject): readonly { readonly container: string; readonly restarts: number }[] {
  const { spec, status } = pod as PodFields & ApiObject;
  const names = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ name }) => name);
  return names.map((container) => ({ container, restarts: status?.containerStatuses?.find(({ name }) => name === container)?.restartCount ?? 0 }));
}

/** With these nothing else would be read either. */
const noWay: readonly FailureCode[] = ['unreachable', 'tls', 'unauthorized'];

/** A support archive that lacks something is worth more than none. */
async function orMissed<T>(read: () => Promise<T>, path: string, missed: string[], thrown: readonly FailureCode[] = []): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isFailure(error) || thrown.includes(error.code)) throw error;
    missed.push(`${path}: ${error.message}`);
    return undefined;
  }
}
