/** `values.schema.json`, which Helm holds values against before it renders anything. */
import { z } from 'zod';
import { renamedValues } from './renamed.js';
import { ChartValues, configuration } from './values.js';

/** A JSON schema, as far as it is looked at here. */
export interface Node {
  readonly [key: string]: unknown;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
}

export function valuesSchema(): object {
  const { properties, ...schema } = plain(nodeOf(ChartValues)) as Node;
  // a key it does not know is a warning of the process, and no reason to refuse an installation
  const file = { description: properties?.['configuration']?.description, ...(loose(plain(nodeOf(configuration))) as Node) };
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Values of the chart kube-image-keeper', ...schema, properties: withRenamed({ ...properties, configuration: file, [heading]: {} }) };
}

/** What helm get values writes above the values it prints, and so into many a file. */
const heading = 'USER-SUPPLIED VALUES';

/** Lets through what has another name now, so that a template can say which. */
function withRenamed(properties: Readonly<Record<string, Node>>): Readonly<Record<string, Node>> {
  const all: Record<string, Node> = { ...properties };
  for (const [path, successor] of Object.entries(renamedValues)) {
    const [first = '', second] = path.split('.');
    all[first] = second === undefined ? {} : { ...all[first], properties: { ...all[first]?.properties, [second]: { description: `Gone: ${successor}` } } };
  }
  return all;
}

/** As users write it. */
export function nodeOf(schema: z.ZodType): Node {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', target: 'draft-7' }) as Node;
}

/** Without the words that are meant for people; a duration may also be the number 0. */
function plain(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(plain);
  if (typeof node !== 'object' || node === null) return node;
  const { words, ...rest } = node as Node;
  const cleaned = Object.fromEntries(Object.entries(rest).filter(([key]) => key !== '$schema').map(([key, value]) => [key, plain(value)]));
  return words === 'duration' ? { ...cleaned, type: ['string', 'integer'] } : cleaned;
}

function loose(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(loose);
  if (typeof node !== 'object' || node === null) return node;
  const kept = Object.entries(node).filter(([key, value]) => !(key === 'additionalProperties' && value === false));
  return Object.fromEntries(kept.map(([key, value]) => [key, loose(value)]));
}
