/**
 * Plays histories in a process of their own, which is four times as fast as inside jest:
 *
 *     node dist/test/support/history/run.js SEED FIRST COUNT STEPS
 *
 * Prints what went wrong and how many were played; the status is 1 when anything did.
 */
import { verdictOn } from './verdict.js';

const [, , seed = '', first = '0', count = '1', steps = '30'] = process.argv;

let played = 0;
for (; played < Number(count) && process.exitCode === undefined; played++) {
  const wrong = verdictOn(`${seed} ${Number(first) + played}`, Number(steps));
  if (wrong.length > 0) process.exitCode = 1;
  for (const what of wrong) process.stdout.write(`${what}\n`);
}
process.stdout.write(`${played} played\n`);
