import { patternError } from './pattern.js';
import type { Structural } from './structural.js';
import { unboundedMark } from './v1alpha1/field-types.js';

const knownKeys: ReadonlySet<string> = new Set([
  'type', 'description', 'example', 'default', 'enum', 'format', 'pattern', 'required', 'properties', 'items', 'additionalProperties',
  'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'maxProperties',
  'x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-validations', unboundedMark,
]);

/**
 * What is wrong with a schema before the API server, or a reader of `kubectl explain`, finds out: nothing but
 * structural keys, every field explained by text and example, everything bounded that v2 did not leave unbounded.
 *
 * @param path how findings name the node: `spec`
 * @returns `spec.filter: has no description`, ...
 */
export function lintSchema(schema: Structural, path: string): readonly string[] {
  const found = [...shapeProblems(schema), ...textProblems(schema), ...boundProblems(schema)].map((problem) => `${path}: ${problem}`);
  for (const [name, property] of Object.entries(schema.properties ?? {})) found.push(...lintSchema(property, `${path}.${name}`));
  if (schema.items) found.push(...lintSchema(schema.items, `${path}[]`));
  if (schema.additionalProperties) found.push(...lintSchema(schema.additionalProperties, `${path}.*`));
  return found;
}

function* shapeProblems(schema: Structural): Generator<string> {
  for (const key of Object.keys(schema)) {
    if (!knownKeys.has(key)) yield `${key} is not structural, or not known to the lint; unions become optional fields and a CEL rule`;
  }
  if (schema.type === undefined) yield 'has no type';
  if (schema.properties && schema.additionalProperties !== undefined) yield 'has additionalProperties beside properties; use z.object';
  if (schema.pattern !== undefined && patternError(schema.pattern) !== undefined) yield `the pattern is not RE2: ${schema.pattern}`;
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    if (!schema.items?.required?.includes(key)) yield `the key ${key} of the list is not required in its items`;
  }
}

function* textProblems({ description, example }: Structural): Generator<string> {
  if (!description) yield 'has no description';
  if (example === undefined) yield 'has no example';
}

function* boundProblems(schema: Structural): Generator<string> {
  if (schema[unboundedMark]) return;
  const isBoundText = schema.maxLength !== undefined || schema.enum !== undefined || schema.format !== undefined;
  if (schema.type === 'string' && !isBoundText) yield 'has no maxLength';
  if (schema.type === 'array' && schema.maxItems === undefined) yield 'has no maxItems';
  if (schema.additionalProperties && schema.maxProperties === undefined) yield 'has no maxProperties';
}
