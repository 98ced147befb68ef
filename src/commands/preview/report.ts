import { recordName } from '../../cluster/record-name.js';
import { cliVersion } from '../command-line.js';
import { columns } from '../columns.js';
import { recordText } from '../find-images.js';
import type { Protection } from '../../domain/retain.js';
import type { CopyFateList, RuleChangeList } from '../documents/preview.js';
import type { Change } from './changes.js';
import type { CopyFate } from './fates.js';

/** What goes, the soonest first; then what stays, when it is asked for; a line that sums up. */
export function fatesTable(fates: readonly CopyFate[], { all, form = 'table' }: { readonly all: boolean; readonly form?: 'table' | 'wide' }): string {
  const wide = (...texts: readonly string[]): readonly string[] => (form === 'wide' ? texts : []);
  const { going, staying } = inOrder(fates);
  const rows = [...going, ...(all ? staying : [])].map((each) => [each.image, each.place, whenText(each), each.rule ?? '', ...wide(String(each.pods), recordName(each.image)), whyText(each)]);
  return `${rows.length === 0 ? '' : columns([['IMAGE', 'PLACE', 'GOES', 'RULE', ...wide('PODS', 'RECORD'), 'WHY'], ...rows])}${summary(going.length, staying)}\n`;
}

/** Records of images with a copy that goes, each once, as kubectl and kuik pin take them. */
export function fatesNames(fates: readonly CopyFate[], all: boolean): string {
  const { going, staying } = inOrder(fates);
  return [...new Set([...going, ...(all ? staying : [])].map(({ image }) => `${recordText({ name: recordName(image) })}\n`))].join('');
}

function inOrder(fates: readonly CopyFate[]): { readonly going: readonly CopyFate[]; readonly staying: readonly CopyFate[] } {
  return { going: fates.filter(({ fate }) => fate.fate === 'goes').sort((one, other) => timeOf(one) - timeOf(other)), staying: fates.filter(({ fate }) => fate.fate === 'stays') };
}

export function fatesDocument(fates: readonly CopyFate[]): CopyFateList {
  const items = fates.map(({ fate, ...copy }) => ({ ...copy, ...(fate.fate === 'goes' ? { fate: fate.fate, at: timeText(fate.at) } : { fate: fate.fate, by: fate.by, ...(fate.until === undefined ? {} : { until: timeText(fate.until) }) }) }));
  return { apiVersion: cliVersion, kind: 'CopyFateList', items };
}

export function changesTable(changes: readonly Change[], form: 'table' | 'wide' = 'table'): string {
  const wide = (text: string): readonly string[] => (form === 'wide' ? [text] : []);
  const count = (action: Change['action']): number => changes.filter((change) => change.action === action).length;
  const rows = changes.map(({ action, image, place, at, rule }) => [action, image, place, at ?? '', rule ?? '', ...wide(recordName(image))]);
  const sum = `${count('copy')} to copy, ${count('release')} to release, ${count('delete')} to delete; nothing was changed\n`;
  return `${rows.length === 0 ? '' : columns([['ACTION', 'IMAGE', 'PLACE', 'AT', 'RULE', ...wide('RECORD')], ...rows])}${sum}`;
}

export function changesDocument(changes: readonly Change[], problems: readonly string[]): RuleChangeList {
  return { apiVersion: cliVersion, kind: 'RuleChangeList', items: [...changes], problems: [...problems] };
}

const protections = {
  'in-use': 'Pods pull from it',
  claimed: 'a rule wants it for an image in use',
  pinned: 'pinned',
  'no-cleanup': 'no rule cleans it up',
} as const satisfies Record<Protection, string>;

function whyText({ fate }: CopyFate): string {
  if (fate.fate === 'goes') return 'unused, and its retention ends; other clusters can delay it';
  return `${protections[fate.by]}${fate.until === undefined ? '' : ` until ${timeText(fate.until)}`}`;
}

function whenText({ fate }: CopyFate): string {
  return fate.fate === 'goes' ? timeText(fate.at) : 'stays';
}

function summary(going: number, staying: readonly CopyFate[]): string {
  const reasons = Object.entries(protections).map(([by, text]) => [staying.filter(({ fate }) => fate.fate === 'stays' && fate.by === by).length, text] as const);
  const kept = reasons.filter(([count]) => count > 0).map(([count, text]) => `${count} (${text})`);
  return `${going} of ${going + staying.length} copies will be deleted${kept.length === 0 ? '' : `; kept: ${kept.join(', ')}`}`;
}

function timeOf({ fate }: CopyFate): number {
  return fate.fate === 'goes' ? fate.at : Infinity;
}

function timeText(at: number): string {
  return new Date(at).toISOString();
}
