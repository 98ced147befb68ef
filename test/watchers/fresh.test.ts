import { expect, test } from '@jest/globals';
import type { WatchHealth } from '../../src/cluster/cluster.js';
import { shareLooks } from '../../src/watchers/fresh.js';
import { unsteadyWatch } from '../../src/watchers/steady.js';
import { minutes, t0 } from '../support/keeper.js';

const watch = (some: Partial<WatchHealth> = {}): WatchHealth => ({ kind: 'Pod', connected: true, objects: 3, handlerErrors: 0, unreadable: 0, steadySince: t0 - 10 * minutes, ...some });

test.each<[string, readonly WatchHealth[], string | undefined]>([
  ['believed when every watch has been steady for long enough', [watch(), watch({ kind: 'Namespace' })], undefined],
  ['believed between two streams of one watch', [watch({ connected: false })], undefined],
  ['not believed before anything is watched', [], 'nothing is watched yet'],
  ['not believed a minute too early', [watch(), watch({ kind: 'Namespace', steadySince: t0 - 9 * minutes })], 'Namespace objects have been read for 540 s only'],
  ['not believed while something cannot be read', [watch({ lastError: { code: 'denied', side: 'cluster', message: 'not allowed to watch pods' } })], 'Pod objects cannot be read: not allowed to watch pods'],
  ['not believed before the first list', [watch({ connected: false, steadySince: undefined })], 'Pod objects have not been read yet'],
  ['not believed after a change that nobody could handle', [watch({ steadySince: undefined })], 'a change of Pod objects could not be handled'],
  ['not believed while an object makes no sense', [watch({ unreadable: 1 })], '1 Pod objects make no sense'],
])('a manager is %s', (_sentence, watches, doubt) => {
  expect(unsteadyWatch(watches, t0, 10 * minutes)).toBe(doubt);
});

test('looks are shared, and none began before it was asked for', async () => {
  let begun = 0;
  const gates: (() => void)[] = [];
  const look = shareLooks(() => {
    const mine = ++begun;
    return new Promise<number>((resolve) => gates.push(() => resolve(mine)));
  });

  const first = look();
  await new Promise(setImmediate);
  const [second, third] = [look(), look()];
  await new Promise(setImmediate);
  expect(begun).toBe(1);
  gates[0]?.();
  expect(await first).toBe(1);
  await new Promise(setImmediate);
  gates[1]?.();

  expect(await Promise.all([second, third])).toEqual([2, 2]);
});

test('a look that fails does not fail the next one', async () => {
  let times = 0;
  const look = shareLooks(async () => {
    if (++times === 1) throw new Error('away');
    return times;
  });

  await expect(look()).rejects.toThrow('away');
  expect(await look()).toBe(2);
});
