/** What would have to restart: workloads by their templates, and Pods that no template explains. */
import { originalsOf } from '../../domain/original.js';
import { compareTexts } from '../../domain/rank.js';
import type { Pod } from '../../domain/usage.js';
import type { AskedPod } from '../explain/pods.js';

/** One of them, and a Pod that stands for all of its Pods. */
export interface Workload {
  readonly namespace: string;
  /** `deployment/web`, or `pod/web-1` where there is nothing but the Pod */
  readonly name: string;
  /** Pods that run now */
  readonly pods: number;
  readonly asked: AskedPod;
}

/**
 * @param templates of workloads, as Pods that go by their names
 * @returns by namespace and name; a Job only while it runs, since it is not started again
 */
export function workloadsOf(pods: readonly Pod[], templates: readonly Pod[]): readonly Workload[] {
  const byNamespace = Map.groupBy(templates, ({ namespace }) => namespace);
  const running = pods.filter(isRunning);
  const groups = Map.groupBy(running, (pod) => (byNamespace.get(pod.namespace) ?? []).find((template) => explains(template, pod)) ?? pod);
  const resting = templates.filter((template) => !groups.has(template) && template.workload !== 'Job');
  return [...[...groups].map(([owner, members]) => runningNow(owner, members)), ...resting.map(atRest)].sort(byName);
}

/** It will not start again, whatever registries do. */
function isRunning({ phase, isDeleted, isStatic }: Pod): boolean {
  return !isDeleted && !isStatic && phase !== 'Succeeded' && phase !== 'Failed';
}

/** Whether a Pod was made from a template, as far as can be told: what the template says is true of the Pod. */
function explains(template: Pod, pod: Pod): boolean {
  const originals = originalsOf(pod);
  const written = new Map(pod.usages.map(({ key, written: text }) => [key, originals.get(key) ?? text]));
  return Object.entries(template.labels).every(([label, value]) => pod.labels[label] === value) && template.usages.every(({ key, written: text }) => written.get(key) === text);
}

function runningNow(owner: Pod, members: readonly Pod[]): Workload {
  const [first = owner] = [...members].sort((one, other) => compareTexts(one.name, other.name));
  return { namespace: owner.namespace, name: nameOf(owner), pods: members.length, asked: { pod: first, isLive: true } };
}

function atRest(template: Pod): Workload {
  return { namespace: template.namespace, name: nameOf(template), pods: 0, asked: { pod: template, isLive: false } };
}

function nameOf({ workload, name }: Pod): string {
  return `${(workload ?? 'Pod').toLowerCase()}/${name}`;
}

function byName(one: Workload, other: Workload): number {
  return compareTexts(one.namespace, other.namespace) || compareTexts(one.name, other.name);
}
