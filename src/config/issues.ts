import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** `retention.tombstone`, `skipLabels[0]` */
export function keyText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : `${text === '' ? '' : '.'}${String(step)}`;
  return text;
}

/** What is wrong with one key of the configuration, for the person who starts kuik. */
export function issueText(issue: Issue, raw: unknown): string {
  const value = valueAt(raw, issue.path);
  const shown = value === undefined ? '' : ` (found ${JSON.stringify(value)?.slice(0, 100)})`;
  return `${keyText(issue.path) || 'the configuration'}: ${value === undefined && issue.code === 'invalid_type' ? 'is missing' : problemText(issue)}${shown}`;
}

function problemText(issue: Issue): string {
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
  if (issue.code === 'invalid_type') return expected[issue.expected] ?? issue.message;
  return issue.message;
}

const expected: Readonly<Record<string, string>> = {
  boolean: 'must be true or false',
  int: 'must be a whole number',
  number: 'must be a number',
  string: 'must be a text',
  array: 'must be a list',
  object: 'must be a map of keys',
  record: 'must be a map of keys',
};

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const step of path) value = isObject(value) ? value[String(step)] : undefined;
  return value;
}

/** Without the keys a schema does not know; `keys` names them. Works on its own copy. */
export function withoutUnknownKeys(schema: z.ZodType, raw: unknown): { readonly known: unknown; readonly keys: readonly string[] } {
  const known = structuredClone(raw);
  const keys: string[] = [];
  for (const issue of schema.safeParse(raw).error?.issues ?? []) {
    if (issue.code !== 'unrecognized_keys') continue;
    const owner = valueAt(known, issue.path);
    for (const key of issue.keys) {
      keys.push(keyText([...issue.path, key]));
      if (isObject(owner)) delete owner[key];
    }
  }
  return { known, keys };
}

/** A map or a list: both are read by key. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
