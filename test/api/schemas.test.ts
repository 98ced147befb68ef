import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { customResourceDefinition, schemasOf } from '../../src/api/crd.js';
import { lintSchema } from '../../src/api/schema-lint.js';
import { published, structural, type Structural } from '../../src/api/structural.js';
import { kinds } from '../../src/api/v1alpha1/kinds.js';
import { validationCases } from './validation.cases.js';

const specOf = (name: string): z.ZodType => {
  const kind = kinds.find(({ kind }) => kind === name);
  if (kind === undefined) throw new Error(`no such kind: ${name}`);
  return kind.spec;
};

describe('the schemas accept and refuse what the API server does', () => {
  test.each(validationCases.filter(({ isServerOnly }) => !isServerOnly))('$kind: $sentence', ({ kind, spec, refusal }) => {
    const parsed = specOf(kind).safeParse(spec);

    const issues = parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n') ?? 'accepted';
    if (refusal === undefined) expect(issues).toBe('accepted');
    else expect(issues).toContain(refusal);
  });
});

describe('every field explains itself', () => {
  test.each(kinds)('$kind: each field has a description and an example that is valid', (kind) => {
    const { spec, status } = schemasOf(kind);

    expect(kind.spec.safeParse(spec.example)).toMatchObject({ success: true });
    expect(kind.status.safeParse(status.example)).toMatchObject({ success: true });
  });

  test.each(kinds)('$kind: no spec field has a default, so reading an object and writing it back changes nothing', (kind) => {
    expect(pathsWith(schemasOf(kind).spec, (schema) => schema.default !== undefined)).toEqual([]);
  });

  test.each(kinds)('$kind: nobody is ready before the first look', (kind) => {
    expect(schemasOf(kind).status.default).toEqual({ observedGeneration: -1 });
    expect(schemasOf(kind).status.required).toBeUndefined();
  });
});

function pathsWith(schema: Structural, holds: (schema: Structural) => boolean, path = 'spec'): string[] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => pathsWith(property, holds, `${path}.${name}`));
  return [...(holds(schema) ? [path] : []), ...below, ...(schema.items ? pathsWith(schema.items, holds, `${path}[]`) : [])];
}

const about = { description: 'A thing.', example: 'x' };

describe('the lint finds what would only show in a cluster', () => {
  test.each([
    ['a field without description', z.object({ a: z.string().max(5).meta({ example: 'x' }) }).meta(about), 'spec.a: has no description'],
    ['a field without example', z.object({ a: z.string().max(5).meta({ description: 'A.' }) }).meta(about), 'spec.a: has no example'],
    ['a text without bound', z.object({ a: z.string().meta(about) }).meta(about), 'spec.a: has no maxLength'],
    ['a list without bound', z.object({ a: z.array(z.string().max(5).meta(about)).meta(about) }).meta(about), 'spec.a: has no maxItems'],
    ['a map without bound', z.object({ a: z.record(z.string(), z.string().max(5).meta(about)).meta(about) }).meta(about), 'spec.a: has no maxProperties'],
    ['a union', z.object({ a: z.union([z.string(), z.int()]).meta(about) }).meta(about), 'spec.a: anyOf is not structural'],
    ['two patterns on one text', z.object({ a: z.string().max(5).regex(/a/).regex(/b/).meta(about) }).meta(about), 'spec.a: allOf is not structural'],
    ['a strict object', z.strictObject({ a: z.string().max(5).meta(about) }).meta(about), 'spec: has additionalProperties beside properties'],
    ['anything', z.object({ a: z.unknown().meta(about) }).meta(about), 'spec.a: has no type'],
    ['a pattern RE2 cannot read', z.object({ a: z.string().max(5).regex(/(?=a)/).meta(about) }).meta(about), 'spec.a: the pattern is not RE2'],
    [
      'a list by a key that may be missing',
      z.object({ a: z.array(z.object({ k: z.string().max(5).meta(about).optional() }).meta(about)).max(3).meta({ ...about, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] }) }).meta(about),
      'the key k of the list is not required',
    ],
  ])('%s', (_sentence, schema, finding) => {
    expect(lintSchema(structural(schema), 'spec').join('\n')).toContain(finding);
  });

  test('and stops the generator with all of it', () => {
    const broken = { ...kinds[0]!, spec: z.object({ a: z.string(), b: z.int() }) };

    expect(() => customResourceDefinition(broken, '3.0.0')).toThrow(/spec\.a: has no description[\s\S]*spec\.b: has no description/);
  });
});

describe('what is published', () => {
  test('examples are written into descriptions, the only text kubectl explain prints', () => {
    expect(published(structural(z.string().max(9).meta({ description: 'How long.', example: '168h' }))).description).toBe('How long. Example: 168h');
  });

  test('integers have no bounds but our own', () => {
    expect(structural(z.int().meta(about))).not.toHaveProperty('minimum');
    expect(structural(z.int().min(0).meta(about))).toMatchObject({ minimum: 0 });
  });

  test.each(kinds)('$kind: nothing that only we understand', (kind) => {
    expect(JSON.stringify(customResourceDefinition(kind, '3.0.0'))).not.toContain('x-kuik');
  });
});
