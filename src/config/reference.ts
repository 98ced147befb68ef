/** The reference page of the configuration, from its schema and flags. */
import { z } from 'zod';
import { knownFlags } from './flags.js';
import { ConfigFile } from './schema.js';

/** A key of the configuration file, as the page shows it. */
export interface KeyRow {
  /** `registries.items.<host>.plainHTTP` */
  readonly key: string;
  readonly type: string;
  /** as YAML on one line; empty: none */
  readonly usual: string;
  readonly description: string;
}

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  /** what people call the type: duration, selector, pattern, path */
  readonly words?: string;
}

/** All keys, in the order of the schema: those of the configuration file unless told. */
export function keyRows(schema: z.ZodType = ConfigFile): readonly KeyRow[] {
  return rowsOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Node, '');
}

/** All flags, with their default and meaning. */
export function flagRows(): readonly KeyRow[] {
  return Object.entries(knownFlags).map(([name, flag]) => ({
    key: `-${name}`,
    type: 'isBoolean' in flag ? 'boolean' : 'text',
    usual: flag.usual,
    description: flag.help,
  }));
}

function rowsOf(node: Node, key: string): KeyRow[] {
  const inner = innerKeys(node, key);
  // an object has no value of its own; a map or a list of objects says what it is for
  const own = key !== '' && (inner.length === 0 || node.description !== undefined) ? [rowOf(node, key)] : [];
  return [...own, ...inner.flatMap(([name, child]) => rowsOf(child, name))];
}

function innerKeys(node: Node, key: string): [string, Node][] {
  const front = key === '' ? '' : `${key}.`;
  if (node.items?.properties) return innerKeys(node.items, `${key}[]`);
  if (typeof node.additionalProperties === 'object' && node.additionalProperties.properties) return innerKeys(node.additionalProperties, `${front}<host>`);
  return Object.entries(node.properties ?? {}).map(([name, child]) => [front + name, child]);
}

function rowOf(node: Node, key: string): KeyRow {
  return { key, type: typeText(node), usual: usualText(node.default), description: node.description ?? '' };
}

function typeText(node: Node): string {
  if (node.enum) return node.enum.map((value) => value || 'empty').join(', ');
  if (node.type === 'array') return `list: ${node.items?.properties ? 'object' : typeText(node.items ?? {})}`;
  if (node.type === 'object') return 'map';
  return node.words ?? plainTypes[node.type ?? ''] ?? '';
}

const plainTypes: Readonly<Record<string, string>> = { string: 'text', integer: 'integer', number: 'number', boolean: 'boolean' };

function usualText(value: unknown): string {
  if (value === undefined || value === '') return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
