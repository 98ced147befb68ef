import { expect, test } from '@jest/globals';
import { LastSweep } from '../../../src/commands/serve/last-sweep.js';

const hour = 3_600_000;

test('what a sweep counted is told until the next one, of whichever replica, has counted anew', () => {
  let now = 0;
  const sweep = new LastSweep(() => now);
  expect(sweep.orphans()).toBeUndefined();

  sweep.note({ 'registry.example.com': 5, 'old.example.com': 1 });
  now = 25 * hour;
  expect(sweep.orphans()).toEqual({ 'registry.example.com': 5, 'old.example.com': 1 });

  now = 26 * hour;
  expect(sweep.orphans()).toBeUndefined();
});

test('a registry that the next sweep does not know any more is not told', () => {
  const sweep = new LastSweep(() => 0);

  sweep.note({ 'registry.example.com': 5, 'old.example.com': 1 });
  sweep.note({ 'registry.example.com': 0 });

  expect(sweep.orphans()).toEqual({ 'registry.example.com': 0 });
});
