import { parseAllDocuments } from 'yaml';
import { originalsOf } from '../../domain/original.js';
import { podOf } from '../../domain/pod.js';
import type { Pod } from '../../domain/usage.js';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The Pods that manifests describe: Pods themselves, and the templates of workloads, also inside a `List`.
 *
 * @param namespace of objects that name none
 * @throws Error when it is not YAML; the message says where
 */
export function podsIn(manifests: string, namespace: string): readonly Pod[] {
  return parseAllDocuments(manifests).flatMap((document) => {
    const [problem] = document.errors;
    if (problem !== undefined) throw new Error(problem.message);
    return podsOf(document.toJS() as unknown, namespace);
  });
}

function podsOf(object: unknown, namespace: string): readonly Pod[] {
  const { kind, metadata, spec, items } = fields(object);
  const own = fields(metadata).namespace;
  const home = typeof own === 'string' ? own : namespace;
  switch (kind) {
    case 'Pod':
      return [podOf(object, home)];
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'ReplicaSet':
    case 'Job':
      return [podOfTemplate(fields(spec).template, nameOf(kind, metadata), home)];
    case 'CronJob':
      return podsOf({ kind: 'Job', metadata, spec: fields(fields(spec).jobTemplate).spec }, namespace);
    case 'List':
      return Array.isArray(items) ? items.flatMap((item) => podsOf(item, namespace)) : [];
    default:
      return [];
  }
}

function nameOf(kind: string, metadata: unknown): string {
  const { name } = fields(metadata);
  return `${kind.toLowerCase()}/${typeof name === 'string' ? name : ''}`;
}

/** A Pod as its workload would make it; it goes by the name of the workload. */
function podOfTemplate(template: unknown, name: string, namespace: string): Pod {
  const { metadata, spec } = fields(template);
  return podOf({ metadata: { ...fields(metadata), name }, spec }, namespace);
}

/** The Pod its user wrote: what was rewritten reads as it was recorded. */
export function asWritten(pod: Pod): Pod {
  const originals = originalsOf(pod);
  return { ...pod, usages: pod.usages.map((usage) => ({ ...usage, written: originals.get(usage.key) ?? usage.written })) };
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
