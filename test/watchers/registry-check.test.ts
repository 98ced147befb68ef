import { expect, test } from '@jest/globals';
import type { FailureInfo } from '../../src/domain/failure.js';
import type { Rule } from '../../src/domain/rule.js';
import { isAnswer, RegistryCheck } from '../../src/watchers/registry-check.js';
import { aMirrorRule, aMonitorRule, aReplicaRule } from '../support/builders.js';

const silence: FailureInfo = { code: 'unreachable', side: 'destination', host: 'registry.example.com', message: 'no route to registry.example.com' };
const done = { isDone: true, silent: [] };

/** A check whose questions are answered by hand. */
function bench() {
  const asked: string[] = [];
  const answers: ((failure?: FailureInfo) => void)[] = [];
  const clock = { now: 0, changes: 0 };
  const check = new RegistryCheck({
    ask: ({ host }) => {
      asked.push(host);
      return new Promise((resolve) => answers.push(resolve));
    },
    onAnswer: () => (clock.changes += 1),
    now: () => clock.now,
  });
  const answer = async (failure?: FailureInfo): Promise<void> => {
    answers.shift()?.(failure);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { check, asked, answer, clock };
}

test('a rule is looked at until its registries have answered; an answer causes another look', async () => {
  const { check, asked, answer, clock } = bench();
  const rule = aMirrorRule();

  expect(check.look(rule, false)).toEqual({ isDone: false, silent: [] });
  expect(check.look(rule, false)).toEqual({ isDone: false, silent: [] });
  await answer();

  expect(check.look(rule, false)).toEqual(done);
  expect([asked, clock.changes]).toEqual([['registry.example.com'], 1]);
});

test('a registry that is silent is asked again later; until it answers it is reported', async () => {
  const { check, asked, answer, clock } = bench();
  const rule = aMirrorRule();
  check.look(rule, false);
  await answer(silence);
  expect(check.look(rule, false)).toEqual({ isDone: true, silent: [silence] });
  expect(asked).toHaveLength(1);

  clock.now = 15_000;
  expect(check.look(rule, false)).toEqual({ isDone: true, silent: [silence] });
  expect(asked).toHaveLength(2);
  await answer();

  expect(check.look(rule, false)).toEqual(done);
});

test.each<[string, (rule: Rule) => Rule, boolean]>([
  ['an outage later on', (rule) => rule, false],
  ['a new generation asks again', (rule) => ({ ...rule, generation: 2 }), true],
])('%s', async (_sentence, change, asksAgain) => {
  const { check, asked, answer, clock } = bench();
  check.look(aMirrorRule(), false);
  await answer();
  check.look(aMirrorRule(), false);
  clock.now = 100_000;

  check.look(change(aMirrorRule()), false);

  expect(asked).toHaveLength(asksAgain ? 2 : 1);
});

test('several rules ask one host once', async () => {
  const { check, asked } = bench();

  check.look(aMirrorRule({ name: 'one', mirrors: [{}, { path: '/other' }] }), false);
  check.look(aMirrorRule({ name: 'two' }), false);
  check.look(aReplicaRule(), false);

  expect(asked).toEqual(['registry.example.com', 'docker.io', 'replica.example.com']);
});

test.each<[string, Rule, boolean]>([
  ['a rule that was ready under another leader', aMirrorRule(), true],
  ['a rule that rests', aMirrorRule({ suspended: true }), false],
  ['a rule that names no registry', aMonitorRule(), false],
])('%s asks nobody', (_sentence, rule, wasReady) => {
  const { check, asked } = bench();

  expect(check.look(rule, wasReady)).toEqual(done);
  expect(asked).toEqual([]);
});

test.each([
  ['missing', true],
  ['unauthorized', true],
  ['denied', true],
  ['throttled', true],
  ['unsupported', true],
  ['unreachable', false],
  ['timeout', false],
  ['tls', false],
  ['invalid', false],
] as const)('%s is an answer: %s', (code, expected) => {
  expect(isAnswer({ code })).toBe(expected);
});
