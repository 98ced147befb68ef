/** What can follow the words that stand there: commands, options and their values, names of the cluster. */
import type { Command, Option } from 'commander';
import { commands } from '../all.js';
import { commandLineOf } from '../command-line.js';
import { parts } from '../cli-page.js';
import { namesOf, type NameKind } from './names.js';

export interface Candidate {
  readonly value: string;
  readonly description?: string;
}

/** What the shell is to do with them. @see https://github.com/spf13/cobra/blob/main/site/content/completions/_index.md */
export const directives = { files: 0, noSpace: 2, noFiles: 4 } as const;

export interface Answer {
  readonly candidates: readonly Candidate[];
  readonly directive: number;
}

export function answerText({ candidates, directive }: Answer): string {
  return `${candidates.map(({ value, description }) => (description === undefined ? value : `${value}\t${description.replace(/\s+/g, ' ')}`)).join('\n')}${candidates.length > 0 ? '\n' : ''}:${directive}\n`;
}

const nothing: Answer = { candidates: [], directive: directives.noFiles };
const files: Answer = { candidates: [], directive: directives.files };

/** @param typed behind the name of the program; the last word is being typed, and may be empty */
export async function candidatesFor(typed: readonly string[]): Promise<Answer> {
  const [name = '', ...rest] = typed.map(emptyIfQuotes);
  if (rest.length === 0) return only(name, Object.entries(commands).filter(([, { isProcess, isHidden }]) => !isProcess && !isHidden).map(([value, { help }]) => ({ value, description: help })));
  if (!Object.hasOwn(commands, name)) return nothing;
  const below = parts[name];
  if (below === undefined) return candidatesOf(name, [], rest);
  const [part = '', ...more] = rest;
  if (more.length === 0) return only(part, below.map((value) => ({ value })));
  return below.includes(part) ? candidatesOf(`${name} ${part}`, [part], more) : nothing;
}

/**
 * PowerShell before 7.3 drops an empty argument, and makes one of two quotes; later ones hand over the quotes as they are.
 *
 * @see https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_preference_variables#psnativecommandargumentpassing
 */
function emptyIfQuotes(word: string): string {
  return word === '""' ? '' : word;
}

async function candidatesOf(path: string, before: readonly string[], words: readonly string[]): Promise<Answer> {
  const [name = ''] = path.split(' ');
  const run = await commands[name]?.load();
  const command = run && (await commandLineOf(() => run(before)));
  if (command === undefined) return nothing;

  const current = words.at(-1) ?? '';
  const typed = words.slice(0, -1);
  const previous = optionNamed(command, typed.at(-1) ?? '');
  if (previous !== undefined && takesValue(previous)) return valuesOf(previous, current, typed);
  const [, flag, value = ''] = /^(--[^=]+)=(.*)$/.exec(current) ?? [];
  const assigned = flag === undefined ? undefined : optionNamed(command, flag);
  if (assigned !== undefined) return prefixed(`${flag}=`, await valuesOf(assigned, value, typed));
  if (current.startsWith('-')) return only(current, command.options.filter(({ hidden }) => !hidden).map((option) => ({ value: option.long ?? option.short ?? '', description: option.description })));
  return named(argumentKinds[path] ?? [], current, typed);
}

/** What stands for itself on a command line. */
const argumentKinds: Readonly<Record<string, readonly NameKind[]>> = {
  describe: ['image'],
  logs: ['image'],
  retry: ['image'],
  mirror: ['image'],
  pin: ['image'],
  unpin: ['image'],
  pause: ['image', 'rule'],
  resume: ['image', 'rule'],
  ui: ['image', 'mirror-rule'],
  explain: ['workload'],
  rehearse: ['registry'],
  completion: ['shell'],
  migrate: ['version'],
  'cluster forget': ['cluster'],
};

/** Options whose values are names of the cluster, or files. */
const valueKinds: Readonly<Record<string, NameKind | 'file'>> = {
  '--namespace': 'namespace',
  '--context': 'context',
  '--registry': 'registry',
  '--image': 'image',
  '--kubeconfig': 'file',
  '--filename': 'file',
  '--config': 'file',
  '--values': 'file',
  '--output-file': 'file',
};

async function valuesOf(option: Option, current: string, typed: readonly string[]): Promise<Answer> {
  if (option.argChoices !== undefined) return only(current, option.argChoices.map((value) => ({ value })));
  const kind = valueKinds[option.long ?? ''];
  if (kind === 'file') return files;
  return kind === undefined ? nothing : named([kind], current, typed);
}

async function named(kinds: readonly NameKind[], current: string, typed: readonly string[]): Promise<Answer> {
  if (kinds.length === 0) return nothing;
  const found = (await Promise.all(kinds.map((kind) => namesOf(kind, current, typed)))).flat();
  const answer = only(current, found.filter(({ value }) => !typed.includes(value)));
  // a kind with its slash waits for a name
  return answer.candidates.length > 0 && answer.candidates.every(({ value }) => value.endsWith('/')) ? { ...answer, directive: directives.noFiles | directives.noSpace } : answer;
}

function only(current: string, candidates: readonly Candidate[]): Answer {
  return { candidates: candidates.filter(({ value }) => value.startsWith(current)), directive: directives.noFiles };
}

function prefixed(front: string, { candidates, directive }: Answer): Answer {
  return { candidates: candidates.map((each) => ({ ...each, value: front + each.value })), directive };
}

function optionNamed(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => flag !== '' && (long === flag || short === flag));
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}
