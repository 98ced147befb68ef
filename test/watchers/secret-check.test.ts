import { expect, test } from '@jest/globals';
import { Failure } from '../../src/domain/failure.js';
import { SecretCheck } from '../../src/watchers/secret-check.js';
import { aMirrorRule } from '../support/builders.js';

const rule = aMirrorRule({ mirrors: [{ credentialSecret: { namespace: 'shop', name: 'push' } }] });

/** Looks twice, half a minute apart; every look is answered by the next of what reading gives. */
async function looks(...answers: (() => Promise<undefined>)[]): Promise<(string | undefined)[]> {
  let now = 0;
  let at = 0;
  const check = new SecretCheck({ read: () => answers[at++]?.() ?? Promise.resolve(undefined), isUnusable: () => false, now: () => now });
  const seen = [];
  for (; at < answers.length; now += 30_000) seen.push((await check.problemsOf(rule))[0]?.problem);
  return seen;
}

const denied = async (): Promise<undefined> => {
  throw new Failure({ code: 'denied', side: 'cluster', message: 'not allowed to get secrets shop/push' });
};
const away = async (): Promise<undefined> => {
  throw new Failure({ code: 'unreachable', side: 'cluster', message: 'the API server is away' });
};
const absent = async (): Promise<undefined> => undefined;

test.each([
  ['a Secret that may not be read is said to be so: waiting does not heal it', [denied], ['denied']],
  ['a Secret that cannot be read just now keeps what was known of it', [absent, away], ['missing', 'missing']],
  ['nothing is said of one that could never be read yet', [away], [undefined]],
] as const)('%s', async (_sentence, answers, expected) => {
  expect(await looks(...answers)).toEqual(expected);
});
