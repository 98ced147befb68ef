import { expect, test } from '@jest/globals';
import { Stalls } from '../../src/telemetry/watchdog.js';

const usual = { everyMs: 500, stallMs: 2_000, graceMs: 10_000 };

function afterBeats(...beats: readonly number[]): Stalls {
  const stalls = new Stalls(usual);
  for (const at of beats) stalls.beat(at);
  return stalls;
}

test.each<[string, readonly number[], number, true | string]>([
  ['one that has just begun is ready', [], 0, true],
  ['one that turns is ready', [0, 500, 1_000, 1_500], 1_600, true],
  ['one that was busy is ready', [0, 2_499], 2_500, true],
  ['one that stood still is not ready', [0, 2_500], 2_500, 'stood still for 2.0 s a moment ago'],
  ['one that stood still a while ago is ready', [0, 4_700, 5_200], 14_700, true],
  ['one that stands still again and again is not ready', [0, 4_700, 9_400, 14_100], 20_000, 'stood still for 4.2 s a moment ago'],
])('an event loop: %s', (_sentence, beats, now, expected) => {
  expect(afterBeats(...beats).ready(now)).toBe(expected);
});
