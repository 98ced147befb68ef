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
  // let through, so that a template can say what became of them
  const renamed = Object.fromEntries(Object.keys(renamedValues).map((key) => [key, {}]));
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Values of the chart kube-image-keeper', ...schema, properties: { ...properties, configuration: file, ...renamed } };
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
