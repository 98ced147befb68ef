import { parseImageRef } from '../../domain/image-ref.js';
import { cliVersion } from '../command-line.js';
import { columns } from '../columns.js';
import type { Rehearsal, RehearsedContainer, RehearsedWorkload } from '../documents/rehearsal.js';
import type { AsIf } from '../explain/as-if.js';
import { isGood, type ExplainedContainer, type Explanation } from '../explain/report.js';
import type { Workload } from './workloads.js';

/** A workload, and what would be decided for it. */
export interface Rehearsed {
  readonly workload: Workload;
  readonly explanation: Explanation;
}

/**
 * @param away the registries that are imagined to be away
 * @param hidden what may not be read, and so did not count
 */
export function rehearsalOf(rehearsed: readonly Rehearsed[], away: AsIf, hidden: readonly string[] = []): Rehearsal {
  const workloads = rehearsed.map((each) => workloadOf(each, away)).filter(({ containers }) => containers.length > 0);
  const alone = workloads.flatMap(({ containers }) => containers.filter(({ reason }) => isAlone(reason)).map(({ image }) => image));
  return { apiVersion: cliVersion, kind: 'Rehearsal', registries: [...away.keys()], ...(hidden.length > 0 ? { hidden: [...hidden] } : {}), looked: rehearsed.length, workloads, images: [...new Set(alone)].sort() };
}

function workloadOf({ workload: { namespace, name, pods, asked }, explanation }: Rehearsed, away: AsIf): RehearsedWorkload {
  const { skipped } = explanation;
  const containers = skipped === undefined ? explanation.containers.filter((container) => concerns(container, away)).map((container) => containerOf(container, explanation, away)) : leftAlone(asked.pod.usages, skipped, away);
  return { namespace, name, pods, verdict: worst(containers), containers };
}

/** Routing has nothing to do with it: it is pulled from where its user wrote. */
function leftAlone(usages: Workload['asked']['pod']['usages'], reason: string, away: AsIf): RehearsedContainer[] {
  return usages
    .filter(({ written }) => away.has(hostOf(written)))
    .map(({ key, written }) => ({ container: key, image: written, verdict: 'stuck', reason, why: `left alone (${reason}), so it is pulled from ${hostOf(written)} only` }));
}

/** Whether any place of it is at one of the registries. */
function concerns({ image, now, places }: ExplainedContainer, away: AsIf): boolean {
  return [image, ...(now === undefined ? [] : [now.image]), ...places.map(({ place }) => place)].some((text) => away.has(hostOf(text)));
}

function containerOf(container: ExplainedContainer, explanation: Explanation, away: AsIf): RehearsedContainer {
  const { container: name, image, reason, pulls, now } = container;
  const about = { container: name, image, reason };
  if (!isGood({ ...explanation, containers: [container] }, away)) return { ...about, verdict: 'stuck', why: whyStuck(container) };
  return { ...about, verdict: pulls === (now?.image ?? image) ? 'stays' : 'moves', pulls };
}

function whyStuck({ reason, places, image }: ExplainedContainer): string {
  if (isAlone(reason)) return `no rule offers a second place beside ${hostOf(image)}`;
  return places.map(({ place, why }) => `${place}: ${why}`).join('; ') || reason;
}

function isAlone(reason: string): boolean {
  return reason === 'OnlyOrigin' || reason === 'Recorded';
}

const gravity = ['stuck', 'moves', 'stays'] as const;

function worst(containers: readonly RehearsedContainer[]): RehearsedWorkload['verdict'] {
  return gravity.find((verdict) => containers.some((container) => container.verdict === verdict)) ?? 'stays';
}

function hostOf(text: string): string {
  return parseImageRef(text)?.host ?? '';
}

/** As kubectl and kuik explain take them. */
export function namesOfStuck({ workloads }: Pick<Rehearsal, 'workloads'>): string {
  return [...new Set(workloads.filter(({ verdict }) => verdict === 'stuck').map(({ name }) => `${name}\n`))].join('');
}

/** For people: what could not restart first. */
export function printRehearsal({ registries, looked, workloads, images }: Rehearsal, form: 'table' | 'wide' = 'table'): string {
  const stuck = workloads.filter(({ verdict }) => verdict === 'stuck');
  const moving = workloads.filter(({ verdict }) => verdict === 'moves');
  const unmoved = workloads.filter(({ verdict }) => verdict === 'stays');
  const without = registries.join(', ');
  if (workloads.length === 0) return `Nothing of ${looked} workloads could be pulled from ${without}: it would not be missed.\n`;
  return [
    stuck.length === 0 ? `Without ${without} every workload could restart.\n` : `Without ${without} ${countOf(stuck.length, 'workload')} of ${looked} could not restart:\n${table(stuck, 'stuck', { last: 'WHY', form })}`,
    moving.length === 0 ? '' : `${countOf(moving.length, 'workload')} would be pulled from elsewhere:\n${table(moving, 'moves', { last: 'PULLS', form })}`,
    unmoved.length === 0 ? '' : `${countOf(unmoved.length, 'workload')} would not notice${form === 'wide' ? `:\n${table(unmoved, 'stays', { last: 'PULLS', form })}` : '.\n'}`,
    images.length === 0 ? '' : `No rule offers a second place for ${countOf(images.length, 'image')}:\n${images.map((image) => `  ${image}\n`).join('')}`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function table(workloads: readonly RehearsedWorkload[], verdict: RehearsedContainer['verdict'], { last, form }: { readonly last: string; readonly form: 'table' | 'wide' }): string {
  const wide = (text: string): readonly string[] => (form === 'wide' ? [text] : []);
  const rows = workloads.flatMap(({ namespace, name, pods, containers }) =>
    containers.filter((container) => container.verdict === verdict).map(({ container, image, reason, pulls, why }) => [namespace, name, `${pods}`, container, image, ...wide(reason), why ?? pulls ?? '']),
  );
  return columns([['  NAMESPACE', 'WORKLOAD', 'PODS', 'CONTAINER', 'IMAGE', ...wide('REASON'), last], ...rows.map(([first = '', ...others]) => [`  ${first}`, ...others])]);
}
