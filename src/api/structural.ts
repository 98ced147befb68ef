/**
 * From zod to the structural schemas of a CRD: what `z.toJSONSchema` makes, with the bounds zod invents taken off
 * and the examples written into the descriptions, the only text `kubectl explain` prints.
 *
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
import { stringify } from 'yaml';
import { z } from 'zod';
import { unboundedMark } from './v1alpha1/field-types.js';

/** One node of a structural schema. */
export interface Structural {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly example?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Structural>>;
  readonly items?: Structural;
  readonly additionalProperties?: Structural | false;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[];
  /** ours, and only until `published` */
  readonly [unboundedMark]?: true;
}

/** The schema as zod gives it, examples completed: what the lint and the reference pages read. */
export function structural(schema: z.ZodType): Structural {
  return completed(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as Structural);
}

/** The schema as it stands in the CRD. */
export function published(schema: Structural): Structural {
  const { [unboundedMark]: mark, description, ...rest } = schema;
  void mark; // told the lint what it had to know
  return { ...below(rest, published), description: explained(schema, description) };
}

function completed(schema: Structural): Structural {
  const done = below(withoutInventedBounds(schema), completed);
  const example = done.example ?? exampleOf(done);
  return example === undefined ? done : { ...done, example };
}

/** zod bounds every integer by what JavaScript can hold; other writers know no such limit. */
function withoutInventedBounds(schema: Structural): Structural {
  const { minimum, maximum, ...rest } = schema;
  return {
    ...rest,
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
  };
}

/** The example of an object or list is made of those below it. */
function exampleOf({ properties, items }: Structural): unknown {
  if (items?.example !== undefined) return [items.example];
  if (properties === undefined) return undefined;
  const examples = Object.entries(properties).filter(([, { example }]) => example !== undefined);
  return Object.fromEntries(examples.map(([name, { example }]) => [name, example]));
}

function below(schema: Structural, change: (schema: Structural) => Structural): Structural {
  const { properties, items, additionalProperties } = schema;
  return {
    ...schema,
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, change(property)])) }),
    ...(items && { items: change(items) }),
    ...(additionalProperties && { additionalProperties: change(additionalProperties) }),
  };
}

const longestExample = 200; // the examples of whole specs stand in examples/ instead

function explained({ example }: Structural, description = ''): string {
  const text = example === undefined ? '' : exampleText(example);
  return text === '' || text.length > longestExample ? description : `${description} Example: ${text}`;
}

/** An example on one line, as YAML. */
export function exampleText(example: unknown): string {
  if (typeof example === 'string') return example;
  return stringify(example, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trim();
}
