/**
 * Takes out what nobody else may read, before it leaves the cluster: what has fields by their names, files inside it
 * included; texts such as logs by the names and shapes they have in them.
 */
import { parseAllDocuments, stringify } from 'yaml';
import { gap, withoutSecrets } from './redact-text.js';
import { isPlainWithin, isSecret } from './secret-names.js';

/** Annotations that repeat the whole object, secrets included. */
const copies: readonly string[] = ['kubectl.kubernetes.io/last-applied-configuration'];

/** Of a ConfigMap: a key store, perhaps. */
const bytes = 'binaryData';

/** Where a value stands. */
interface Spot {
  readonly name?: string;
  /** below something that is called a secret */
  readonly isWithin?: boolean;
}

/** An object as in a manifest, without secrets and without what only the API server needs. */
export function redactedObject(value: unknown): unknown {
  return clean(value, {});
}

function clean(value: unknown, spot: Spot): unknown {
  const { name = '', isWithin = false } = spot;
  if (typeof value === 'string') return isSecret(name) || (isWithin && !isPlainWithin(name)) ? gap : redactedString(value);
  if (typeof value === 'number' || typeof value === 'bigint') return isSecret(name) ? gap : value;
  if (Array.isArray(value)) return value.map((item: unknown, at) => (typeof item === 'string' && isSecretFlag(value[at - 1]) ? gap : clean(item, spot)));
  if (typeof value !== 'object' || value === null) return value;
  const named = namedValue(value);
  const entries = Object.entries(value).filter(([key]) => key !== 'managedFields' && !copies.includes(key));
  const isBelow = isWithin || isSecret(name);
  return Object.fromEntries(entries.map(([key, item]) => [key, name === bytes ? gap : clean(item, { name: key === 'value' ? (named ?? key) : key, isWithin: isBelow })]));
}

/** `--password`, whose value is the next argument. */
function isSecretFlag(argument: unknown): boolean {
  return typeof argument === 'string' && /^--?[A-Za-z][\w.-]*$/.test(argument) && isSecret(argument);
}

/** An entry of `env`, or its like. */
function namedValue(object: object): string | undefined {
  return 'name' in object && typeof object.name === 'string' && 'value' in object ? object.name : undefined;
}

/** A file inside an object is an object itself, if it can be read. */
function redactedString(text: string): string {
  return (/\n|^\s*[[{]/.test(text) ? redactedFile(text) : undefined) ?? redactedText(text);
}

/** @returns undefined when it is none, or when no field of it is a secret: its comments may hold some */
function redactedFile(text: string): string | undefined {
  const json = parsedJson(text);
  if (json !== undefined) return ifChanged(json, (cleaned) => JSON.stringify(cleaned, undefined, text.trim().includes('\n') ? 2 : 0));
  const documents = parsedYaml(text);
  return documents && ifChanged(documents, (cleaned) => (cleaned as readonly unknown[]).map((each) => stringify(each, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n'));
}

function ifChanged(value: unknown, write: (cleaned: unknown) => string): string | undefined {
  const cleaned = redactedObject(value);
  return JSON.stringify(cleaned) === JSON.stringify(value) ? undefined : write(cleaned);
}

function parsedYaml(text: string): readonly unknown[] | undefined {
  try {
    const documents = [...parseAllDocuments(text, { logLevel: 'silent' })];
    if (documents.some(({ errors }) => errors.length > 0)) return undefined;
    const values = documents.map((document): unknown => document.toJS());
    return values.some((value) => typeof value === 'object' && value !== null) ? values : undefined;
  } catch {
    return undefined; // what refers to itself without end, for example
  }
}

function parsedJson(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}

/** What the API server writes in front of each line of a log. */
const stamped = /^(?:\d{4}-\d\d-\d\dT[\d:.]+Z )?/;

/** A text of any length and any number of lines, such as a log, whose lines may be JSON. */
export function redactedText(text: string): string {
  const lines = text.split('\n');
  const stamps = lines.map((line) => stamped.exec(line)?.[0] ?? '');
  const bodies = redactedLines(lines.map((line, at) => line.slice(stamps[at]?.length)));
  return bodies.map((body, at) => `${stamps[at] ?? ''}${body}`).join('\n');
}

/** @returns as many lines */
function redactedLines(lines: readonly string[]): readonly string[] {
  const left: string[] = [];
  let plain: string[] = [];
  const flush = (): void => {
    if (plain.length > 0) left.push(...withoutSecrets(plain));
    plain = [];
  };
  for (const line of lines) {
    const json = parsedJson(line);
    if (json === undefined) plain.push(line);
    else {
      flush();
      left.push(ifChanged(json, (cleaned) => JSON.stringify(cleaned)) ?? line);
    }
  }
  flush();
  return left;
}
