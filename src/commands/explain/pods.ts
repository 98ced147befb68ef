import { parseAllDocuments } from 'yaml';
import { keptOut, originalsOf } from '../../domain/original.js';
import { podOf } from '../../domain/pod.js';
import type { Pod, Usage } from '../../domain/usage.js';

type Fields = Readonly<Record<string, unknown>>;

/** A Pod somebody asks about. */
export interface AskedPod {
  /** what goes by the name of its workload is called `kind/name` */
  readonly pod: Pod;
  /** it is in the cluster; the others are yet to be made */
  readonly isLive: boolean;
  /** whose pull Secrets it gets when it is made, as it names none itself */
  readonly serviceAccount?: string;
}

/**
 * The Pods that manifests describe: Pods themselves, and the templates of whatever has one, also inside lists.
 *
 * @param namespace of objects that name none
 * @throws Error when it is not YAML; the message says where
 */
export function podsIn(manifests: string, namespace: string): readonly AskedPod[] {
  return parseAllDocuments(manifests).flatMap((document) => {
    const [problem] = document.errors;
    if (problem !== undefined) throw new Error(problem.message);
    return podsOf(document.toJS() as unknown, namespace);
  });
}

/** @param object as a manifest has it; its kind need not be known: what has a template of Pods is a workload */
export function podsOf(object: unknown, namespace: string): readonly AskedPod[] {
  const { kind, metadata, spec, items, template } = fields(object);
  if (typeof kind !== 'string') return [];
  // items of a typed list need not say what they are
  if (kind.endsWith('List') && Array.isArray(items)) return items.flatMap((item) => podsOf({ kind: kind.slice(0, -'List'.length), ...fields(item) }, namespace));

  const own = fields(metadata).namespace;
  const home = typeof own === 'string' ? own : namespace;
  if (kind === 'Pod') return [toBeMade({ ...fields(object), metadata: { ...fields(metadata), name: nameOf(metadata) } }, home)];

  const found = kind === 'PodTemplate' ? template : templateIn(spec);
  if (!Array.isArray(fields(fields(found).spec).containers)) return [];
  const { metadata: ofPod, spec: podSpec } = fields(found);
  return [toBeMade({ metadata: { ...fields(ofPod), name: `${kind.toLowerCase()}/${nameOf(metadata)}` }, spec: podSpec }, home)];
}

/** A Pod with one container, for an image by itself. */
export function podOfImage(image: string, namespace: string): AskedPod {
  return toBeMade({ metadata: { name: `image/${image}` }, spec: { containers: [{ name: 'image', image }] } }, namespace);
}

/** A CronJob has its template one level deeper. */
function templateIn(spec: unknown): unknown {
  const { template, jobTemplate } = fields(spec);
  return template ?? fields(fields(jobTemplate).spec).template;
}

function toBeMade(object: { readonly metadata: object; readonly spec?: unknown }, namespace: string): AskedPod {
  const pod = podOf(object, namespace);
  const { serviceAccountName, serviceAccount } = fields(object.spec);
  const account = [serviceAccountName, serviceAccount].find((name) => typeof name === 'string' && name !== '') as string | undefined;
  return { pod, isLive: false, ...(pod.pullSecrets.length === 0 ? { serviceAccount: account ?? 'default' } : {}) };
}

function nameOf(metadata: unknown): string {
  const { name, generateName } = fields(metadata);
  if (typeof name === 'string') return name;
  return typeof generateName === 'string' ? `${generateName}*` : '';
}

/** The images of a Pod that is there as its user wrote them, without those its user keeps out. */
export function asWritten(pod: Pod): readonly Usage[] {
  const originals = originalsOf(pod);
  const kept = keptOut(pod);
  return pod.usages.filter((usage) => !kept.includes(usage)).map((usage) => ({ ...usage, written: originals.get(usage.key) ?? usage.written }));
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
