import { parseDuration } from '../domain/duration.js';
import { locationProblem, type Location } from '../domain/join.js';
import type { Platform } from '../domain/platform.js';
import type { Cleanup, Problem, SecretRef } from '../domain/rule.js';
import { quote, type Field } from './field.js';

/** Where Secrets of a resource are read: its own namespace, or for cluster kinds the one named, else ours. */
export interface SecretScope {
  readonly namespace?: string;
  readonly installNamespace: string;
}

/**
 * Reads the items of a list one by one. An item with a problem that disables items is left out; its problems are
 * kept, and the other items keep their positions.
 */
export function translateItems<T>(list: Field, problems: Problem[], read: (item: Field, index: number) => T): readonly T[] {
  return list.items().flatMap((item, index) => {
    const own: Problem[] = [];
    const value = read(item.blaming({ disables: 'item' }, own), index);
    problems.push(...own);
    return own.some(({ disables }) => disables === 'item') ? [] : [value];
  });
}

/** A Secret reference; undefined when there is none, and when it names nothing. */
export function translateSecret(field: Field, scope: SecretScope): SecretRef | undefined {
  if (!field.isPresent()) return undefined;
  const name = field.get('name').text();
  const written = field.get('namespace').text();
  if (!name) {
    field.get('name').note('is empty; name the Secret, or leave the whole reference out', { disables: 'nothing' });
    return undefined;
  }
  return { namespace: scope.namespace ?? (written || scope.installNamespace), name };
}

/** A `cleanup` as written; a retention that cannot be read turns clean-up off wherever it applies. */
interface WrittenCleanup {
  readonly enabled?: boolean;
  readonly retentionMs?: number | 'unreadable';
}

export function readCleanup(field: Field): WrittenCleanup {
  const own = field.blaming({ disables: 'cleanup' });
  return { enabled: own.get('enabled').boolean(), retentionMs: readDuration(own.get('retention'), 'clean-up is off until then') };
}

/** The clean-up of one mirror: each field that the mirror has wins over the rule's. */
export function mergeCleanup(own: WrittenCleanup, outer: WrittenCleanup): Cleanup {
  const retentionMs = ownRetention(own, outer) ?? outerRetention(outer);
  if (retentionMs === 'unreadable') return { enabled: false };
  return { enabled: own.enabled ?? outer.enabled ?? false, ...(retentionMs === undefined ? {} : { retentionMs }) };
}

/**
 * v2, when it added its finalizer, wrote `retention: 0s` wherever its user had written none: into the clean-up of the
 * rule, and of each mirror that has one; that of mirrors it then ignored. Taken at its word it would have copies deleted
 * at once that were to be kept: so beside a retention of the rule it counts as not written.
 */
function ownRetention(own: WrittenCleanup, outer: WrittenCleanup): WrittenCleanup['retentionMs'] {
  return own.retentionMs === 0 && outer.retentionMs !== undefined ? undefined : own.retentionMs;
}

/** Of a clean-up that is off it says nothing either; of one that is on it is what v2 did. */
function outerRetention({ enabled, retentionMs }: WrittenCleanup): WrittenCleanup['retentionMs'] {
  return retentionMs === 0 && enabled !== true ? undefined : retentionMs;
}

/**
 * Reads a duration that must not be negative; an empty text counts as absent.
 *
 * @param meanwhile what happens until the text is right, for the message
 * @returns milliseconds
 */
export function readDuration(field: Field, meanwhile: string): number | 'unreadable' | undefined {
  const text = field.text();
  if (text === undefined) return field.isPresent() ? 'unreadable' : undefined;
  if (text === '') return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= 0) return ms;
  field.note(`is ${quote(text)}, which is ${ms === undefined ? 'no duration' : 'negative'}; write one such as 168h, 90m or 0s (${meanwhile})`);
  return 'unreadable';
}

export function translatePlatforms(list: Field): readonly Platform[] {
  return list.items().map((item) => {
    const os = item.get('os').text();
    const variant = item.get('variant').text();
    const architecture = item.get('architecture').text() ?? '';
    if (architecture === '') item.get('architecture').note('is empty; write one such as amd64');
    return { ...(os ? { os } : {}), architecture, ...(variant ? { variant } : {}) };
  });
}

/** Leaves out an item whose registry and path make no place, for any image. */
export function checkLocation(item: Field, location: Location): void {
  const problem = locationProblem(location);
  if (problem !== undefined) item.note(`is no place for images: ${problem}; write a registry such as registry.example.com:5000 and a path such as /mirror`);
}
