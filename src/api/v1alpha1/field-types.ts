import { z } from 'zod';

/** What a reader of `kubectl explain` learns about a field: meaning, unit, what happens without it. */
export interface About {
  readonly description: string;
  /** left out where the examples of the fields below make one */
  readonly example?: unknown;
}

/** Marks a field that had no bound in v2 and must not get one; `crd.ts` removes the mark. */
export const unboundedMark = 'x-kuik-unbounded';

/** A text of v2, which set no length. */
export function freeText(about: About): z.ZodString {
  return z.string().meta({ ...about, [unboundedMark]: true });
}

export function shortText(maxLength: number, about: About): z.ZodString {
  return z.string().max(maxLength).meta({ ...about });
}

export function flag(about: About): z.ZodBoolean {
  return z.boolean().meta({ ...about });
}

/** A whole number without bounds; the door saturates what JavaScript cannot hold. */
export function integer(about: About): z.ZodNumber {
  return z.int().meta({ ...about });
}

/** A number of things. */
export function count(about: About): z.ZodNumber {
  return z.int().min(0).meta({ ...about });
}

/** A size, up to 2^53 - 1. */
export function bytes(about: About): z.ZodNumber {
  return z.int().min(0).meta({ ...about, format: 'int64' });
}

/** RFC 3339, as the API server checks it. */
export function time(description: string): z.ZodString {
  return z.string().meta({ description: `${description} RFC 3339.`, example: '2026-11-20T10:50:14Z', format: 'date-time' });
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T, about: About): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(values).meta({ ...about });
}

export function listOf<T extends z.ZodType>(item: T, maxItems: number, about: About): z.ZodArray<T> {
  return z.array(item).max(maxItems).meta({ ...about, 'x-kubernetes-list-type': 'atomic' });
}

/** A list of v2, which set no maximum. */
export function freeList<T extends z.ZodType>(item: T, about: About): z.ZodArray<T> {
  return z.array(item).meta({ ...about, [unboundedMark]: true });
}

/** A list whose items are told apart by one of their fields, so that several writers can share it. */
export function mapByKey<T extends z.ZodType>(key: string, list: z.ZodArray<T>): z.ZodArray<T> {
  return list.meta({ ...list.meta(), 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] });
}

/** An object all of whose fields may be left out. */
export function optional<S extends z.ZodRawShape>(shape: S): z.ZodObject<{ [K in keyof S]: z.ZodOptional<S[K]> }> {
  return z.object(shape).partial();
}
