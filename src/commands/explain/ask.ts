/** Which Pods a person asks about: of the cluster, of files, or made up for an image. */
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import type { KubernetesCluster, TemplateKind } from '../../cluster/kubernetes/client.js';
import { isFailure } from '../../domain/failure.js';
import { parseImageRef } from '../../domain/image-ref.js';
import type { ExplainOptions } from '../explain.js';
import { podOfImage, podsIn, podsOf, type AskedPod } from './pods.js';

/** How people and kubectl spell them. */
const kinds: Readonly<Record<string, 'Pod' | TemplateKind>> = {
  po: 'Pod', pod: 'Pod', pods: 'Pod',
  deploy: 'Deployment', deployment: 'Deployment', deployments: 'Deployment',
  sts: 'StatefulSet', statefulset: 'StatefulSet', statefulsets: 'StatefulSet',
  ds: 'DaemonSet', daemonset: 'DaemonSet', daemonsets: 'DaemonSet',
  rs: 'ReplicaSet', replicaset: 'ReplicaSet', replicasets: 'ReplicaSet',
  job: 'Job', jobs: 'Job',
  cj: 'CronJob', cronjob: 'CronJob', cronjobs: 'CronJob',
};

/** What is wrong with a question; the message names it and the next step. */
export class Unanswerable extends Error {}

export interface Asked {
  readonly pods: readonly AskedPod[];
  /** what could not be found out, for people */
  readonly remarks: readonly string[];
}

/** @throws Unanswerable; Failure of the cluster */
export async function askedPods(objects: readonly string[], { filename, image, namespace: chosen }: ExplainOptions, cluster: KubernetesCluster): Promise<Asked> {
  const namespace = chosen ?? cluster.namespace;
  const found = [
    ...(await Promise.all(objects.map((object) => podNamed(object, namespace, cluster)))).flat(),
    ...(await Promise.all(filename.map((file) => podsFrom(file, namespace)))).flat(),
    ...image.map((written) => podFor(written, namespace)),
  ];
  return withPullSecrets(found, cluster);
}

async function podNamed(object: string, namespace: string, cluster: KubernetesCluster): Promise<readonly AskedPod[]> {
  const [typed = '', name = '', ...more] = object.split('/');
  // kubectl prints deployment.apps/web
  const kind = kinds[typed.toLowerCase().split('.')[0] ?? ''];
  if (kind === undefined || name === '' || more.length > 0) throw new Unanswerable(`${object || '""'}: write KIND/NAME, such as pod/web; kinds are pod, deploy, sts, ds, rs, job, cronjob, and everything else with -f`);
  if (kind === 'Pod') {
    const pod = await cluster.pod(namespace, name);
    if (pod !== undefined) return [{ pod, isLive: true }];
  } else {
    const workload = await cluster.manifest(kind, namespace, name);
    if (workload !== undefined) return podsOf(workload, namespace);
  }
  throw new Unanswerable(`${kind.toLowerCase()} ${namespace}/${name} not found; -n names another namespace`);
}

async function podsFrom(file: string, namespace: string): Promise<readonly AskedPod[]> {
  try {
    const files = file === '-' ? ['-'] : await filesAt(file);
    const pods = await Promise.all(files.map(async (each) => podsIn(each === '-' ? await text(process.stdin) : await readFile(each, 'utf8'), namespace)));
    if (pods.flat().length > 0) return pods.flat();
  } catch (error) {
    throw new Unanswerable(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw new Unanswerable(`${file}: no Pod and no workload in it; what has containers in spec.template, or is a Pod or CronJob, is explained`);
}

/** A folder's own manifests, as kubectl reads them; not those of folders below. */
async function filesAt(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  return (await readdir(path)).filter((name) => /\.(?:ya?ml|json)$/.test(name)).sort().map((name) => join(path, name));
}

function podFor(image: string, namespace: string): AskedPod {
  if (parseImageRef(image) === undefined) throw new Unanswerable(`--image ${JSON.stringify(image)}: no image reference; write it as in a Pod, such as nginx:1.27 or ghcr.io/acme/api:v4`);
  return podOfImage(image, namespace);
}

/** A Pod that names no pull Secret gets those of its ServiceAccount before any webhook sees it. */
async function withPullSecrets(asked: readonly AskedPod[], cluster: KubernetesCluster): Promise<Asked> {
  const remarks = new Set<string>();
  const known = new Map<string, Promise<readonly string[]>>();
  const secretsOf = (namespace: string, account: string): Promise<readonly string[]> => {
    const key = `${namespace}/${account}`;
    const reading = known.get(key) ?? cluster.pullSecretsOf(namespace, account).catch((error: unknown) => {
      if (!isFailure(error)) throw error;
      remarks.add(`${error.message}; until then its Pods are explained without its pull Secrets`);
      return [];
    });
    known.set(key, reading);
    return reading;
  };
  const pods = await Promise.all(
    asked.map(async (each) => (each.serviceAccount === undefined ? each : { ...each, pod: { ...each.pod, pullSecrets: await secretsOf(each.pod.namespace, each.serviceAccount) } })),
  );
  return { pods, remarks: [...remarks] };
}
