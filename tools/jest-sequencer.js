import { readFileSync } from 'node:fs';
import sequencer from '@jest/test-sequencer';

const Sequencer = sequencer.default ?? sequencer;
const [realMs, unitMs, usualTimeoutMs] = [15_000, 1_000, 60_000];

/**
 * Long test files begin first, so that no worker is left alone with one in the end. How long a file takes is remembered
 * by jest; of one that never ran, as in a fresh clone, the longest time-out it asks for is a hint.
 */
export default class LongestFirst extends Sequencer {
  time(test) {
    return super.time(test) ?? expectedMs(test);
  }
}

function expectedMs({ path, context }) {
  if (context.config.displayName?.name !== 'real') return unitMs;
  const timeouts = [...readFileSync(path, 'utf8').matchAll(/\b(\d{2,3})_000\b/g)].map(([, seconds]) => Number(seconds) * 1000);
  return realMs + Math.max(0, ...timeouts.filter((ms) => ms > usualTimeoutMs)) / 4;
}
