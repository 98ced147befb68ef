import { expect, test } from '@jest/globals';
import { Turns } from '../../src/registry/turns.js';

const { signal } = new AbortController();

test('work on one key happens one after the other, in the order it came', async () => {
  const turns = new Turns();
  const log: string[] = [];
  const work = (name: string) => async (): Promise<void> => {
    log.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    log.push(`${name} ends`);
  };

  await Promise.all([turns.take('a', signal, work('one')), turns.take('a', signal, work('two')), turns.take('b', signal, work('other'))]);

  expect(log.filter((line) => !line.startsWith('other'))).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
  expect(log.indexOf('other begins')).toBeLessThan(log.indexOf('one ends'));
});

test('two who want the same keys in another order do not wait for each other for ever', async () => {
  const turns = new Turns();
  const done = await Promise.all([turns.take(['a', 'b'], signal, async () => 'ab'), turns.take(['b', 'a'], signal, async () => 'ba')]);
  expect(done).toEqual(['ab', 'ba']);
});

test('who gives up while waiting leaves, and whoever comes next still waits for the first', async () => {
  const turns = new Turns();
  const first = Promise.withResolvers<void>();
  const stop = new AbortController();
  const log: string[] = [];

  const working = turns.take('a', signal, () => first.promise.then(() => void log.push('first')));
  const waiting = turns.take('a', stop.signal, async () => void log.push('never'));
  const next = turns.take('a', signal, async () => void log.push('next'));
  stop.abort(new Error('enough'));

  await expect(waiting).rejects.toThrow('enough');
  first.resolve();
  await Promise.all([working, next]);
  expect(log).toEqual(['first', 'next']);
});

test('work that fails does not keep the next one from its turn', async () => {
  const turns = new Turns();
  const failing = turns.take('a', signal, () => Promise.reject(new Error('no')));
  const next = turns.take('a', signal, async () => 'done');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('done');
});
