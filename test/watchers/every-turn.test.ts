import { expect, test } from '@jest/globals';
import { everyTurn } from '../../src/watchers/every-turn.js';

test('each step has its turn, one after the other, and the first error is told at the end', async () => {
  const taken: number[] = [];
  const step = (number: number, error?: string) => async (): Promise<void> => {
    await Promise.resolve();
    taken.push(number);
    if (error !== undefined) throw new Error(error);
  };
  const throwing = (): void => {
    taken.push(3);
    throw new Error('at once');
  };

  await expect(everyTurn([step(1), step(2, 'first'), throwing, step(4, 'last'), step(5)])).rejects.toThrow('first');
  expect(taken).toEqual([1, 2, 3, 4, 5]);
  await expect(everyTurn([step(6)])).resolves.toBeUndefined();
});
