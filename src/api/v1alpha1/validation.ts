/**
 * Rules that the API server checks as CEL and that this side checks as functions. Each pair accepts and refuses
 * the same: one table of good and bad objects runs through both (`test/api/validation.cases.ts`).
 *
 * @see https://kubernetes.io/docs/reference/using-api/cel/
 */
import type { z } from 'zod';
import { patternError } from '../pattern.js';
import type { About } from './field-types.js';

export interface Validation<T> {
  /** CEL, with `self` as the value */
  readonly rule: string;
  /** what the user reads: what is wanted, not what is wrong */
  readonly message: string;
  readonly holds: (value: T) => boolean;
}

/** Adds rules to a schema, for both sides. */
export function validated<S extends z.ZodType>(schema: S, about: About, rules: readonly Validation<z.infer<S>>[]): S {
  let checked = schema;
  for (const { holds, message } of rules) checked = checked.refine(holds, { error: message });
  return checked.meta({ ...schema.meta(), ...about, 'x-kubernetes-validations': rules.map(({ rule, message }) => ({ rule, message })) });
}

/** The items of a filter; what they may carry differs by kind. */
type Items = readonly unknown[];

/** Presence counts, even of an empty text. */
export function exactlyOneKey(keys: readonly string[]): Validation<Items> {
  const present = keys.map((key) => `has(i.${key})`).join(', ');
  return {
    rule: `self.all(i, [${present}].exists_one(set, set))`,
    message: `each item carries exactly one of ${keys.join(', ')}`,
    holds: (items) => items.every((item) => keys.filter((key) => has(item, key)).length === 1),
  };
}

/** The property stays in the schema, so that it is refused and not pruned. */
export const noImageKey: Validation<Items> = {
  rule: 'self.all(i, !has(i.image))',
  message: 'image is not allowed here: images are selected by the imageFilter of each upstream',
  holds: (items) => items.every((item) => !has(item, 'image')),
};

/** The evaluation error is the refusal. */
export const patternsCompile: Validation<readonly string[]> = {
  rule: "self.all(p, ''.matches(p) in [true, false])",
  message: 'each pattern is a valid RE2 expression',
  holds: (patterns) => patterns.every((pattern) => patternError(pattern) === undefined),
};

interface BothFilters {
  readonly filter?: { readonly include?: unknown; readonly exclude?: unknown };
  readonly imageFilter?: { readonly include?: unknown; readonly exclude?: unknown };
}

/** A list counts when it is present, even if empty. */
export const onlyOneFilter: Validation<BothFilters> = {
  rule: [
    '[has(self.filter) && (has(self.filter.include) || has(self.filter.exclude)),',
    'has(self.imageFilter) && (has(self.imageFilter.include) || has(self.imageFilter.exclude))].exists(used, !used)',
  ].join(' '),
  message: 'filter and the deprecated imageFilter cannot be used together: move the patterns to image items of filter',
  holds: ({ filter, imageFilter }) => !(isUsed(filter) && isUsed(imageFilter)),
};

/** A rule on a change; this side only ever sees one version of an object. */
export const immutable: Validation<unknown> = { rule: 'self == oldSelf', message: 'the image of a record cannot be changed', holds: () => true };

function has(item: unknown, key: string): boolean {
  return typeof item === 'object' && item !== null && Object.hasOwn(item, key);
}

function isUsed(filter: BothFilters['filter']): boolean {
  return filter !== undefined && (filter.include !== undefined || filter.exclude !== undefined);
}
