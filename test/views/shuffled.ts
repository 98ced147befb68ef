import fc from 'fast-check';
import type { Change } from '../../src/cluster/cluster.js';

/** What happened to one key, oldest first; undefined is a deletion. */
export type Story<T> = readonly (T | undefined)[];

/**
 * Changes as a bad network might deliver them: events of one key stay in order, some in the middle are lost, some
 * come twice, and those of different keys are shuffled. What each key ended with is always among them.
 */
export function delivered<T>(stories: ReadonlyMap<string, Story<T>>): fc.Arbitrary<Change<T>[]> {
  const events = [...stories].map(([key, story]) => lossy(story.map((object) => changeOf(key, object))));
  return fc.tuple(...events).chain((perKey) => {
    const total = perKey.reduce((sum, list) => sum + list.length, 0);
    return fc.array(fc.nat(), { minLength: total, maxLength: total }).map((choices) => interleave(perKey, choices));
  });
}

/** The last word about every key. */
export function outcome<T>(stories: ReadonlyMap<string, Story<T>>): Map<string, T> {
  const last = [...stories].map(([key, story]) => [key, story.at(-1)] as const);
  return new Map(last.filter((entry): entry is [string, T] => entry[1] !== undefined));
}

function changeOf<T>(key: string, object: T | undefined): Change<T> {
  return object === undefined ? { type: 'gone', key } : { type: 'put', key, object };
}

/** How often each event comes: never, once or twice; the last one at least once. */
function lossy<T>(events: readonly Change<T>[]): fc.Arbitrary<Change<T>[]> {
  return fc.array(fc.nat(2), { minLength: events.length, maxLength: events.length }).map((times) =>
    events.flatMap((event, index) => Array.from({ length: index === events.length - 1 ? Math.max(1, times[index] ?? 1) : (times[index] ?? 1) }, () => event)),
  );
}

function interleave<T>(perKey: readonly Change<T>[][], choices: readonly number[]): Change<T>[] {
  const queues = perKey.map((list) => [...list]);
  return choices.flatMap((choice) => {
    const waiting = queues.filter((queue) => queue.length > 0);
    return waiting[choice % waiting.length]?.splice(0, 1) ?? [];
  });
}

/** Stories over some keys, each with at least one event. */
export function stories<T>(keys: readonly string[], object: (key: string) => fc.Arbitrary<T>): fc.Arbitrary<Map<string, Story<T>>> {
  const perKey = keys.map((key) => fc.array(fc.option(object(key), { nil: undefined }), { minLength: 1, maxLength: 4 }));
  return fc.tuple(...perKey).map((all) => new Map(keys.map((key, index) => [key, all[index] ?? []])));
}
