import { expect, test } from '@jest/globals';
import { readUntil } from '../../src/commands/pin/until.js';
import { t0 } from '../support/keeper.js';

test.each([
  [undefined, 'forever'],
  ['forever', 'forever'],
  ['720h', '2026-10-01T12:00:00.000Z'],
  ['1h30m', '2026-09-01T13:30:00.000Z'],
  ['2027-01-31', '2027-01-31T00:00:00.000Z'],
  ['2027-01-31T12:00:00+02:00', '2027-01-31T10:00:00.000Z'],
])('--until %s keeps an image until %s', (text, value) => {
  expect(readUntil(text, t0)).toEqual({ value });
});

test.each([
  ['tomorrow', /write a time .* or how long from now/],
  ['30d', /hours are the longest unit/],
  ['2027-01-31T12:00', /write a time/],
  ['2027-02-31T12:00:00X', /write a time/],
  ['2020-01-01', /that time is over; .*kuik unpin/],
  ['-1h', /that time is over/],
])('--until %s is refused with the next step', (text, said) => {
  expect(readUntil(text, t0)).toMatchObject({ problem: expect.stringMatching(said) });
});
