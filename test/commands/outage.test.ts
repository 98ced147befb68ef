import { describe, expect, test } from '@jest/globals';
import { Outage, untilAnswered } from '../../src/commands/outage.js';
import { Failure, type FailureCode } from '../../src/domain/failure.js';

const start = Date.parse('2026-11-20T02:00:00Z');

/** An outage whose clock the test turns. */
function anOutage(): { readonly outage: Outage; readonly said: string[]; readonly pass: (ms: number) => void } {
  const said: string[] = [];
  let now = start;
  return { outage: new Outage({ say: (text) => void said.push(text), now: () => now }), said, pass: (ms) => void (now += ms) };
}

const failing = (code: FailureCode): Failure => new Failure({ code, side: 'cluster', message: `it is ${code}` });

describe('an outage', () => {
  test('is said once, and its end once', () => {
    const { outage, said, pass } = anOutage();

    for (let seconds = 0; seconds < 30; seconds += 1) {
      expect(outage.fails(failing('unreachable'))).toBe(true);
      pass(1_000);
    }
    expect(outage.silence).toEqual({ since: '2026-11-20T02:00:00Z', why: 'it is unreachable' });
    outage.answers();
    outage.answers();

    expect(outage.silence).toBeUndefined();
    expect(said).toEqual(['no answer since 2026-11-20T02:00:00Z: it is unreachable; what is shown is from before, and kuik looks again', 'answers again, after 30s']);
  });

  test('of a moment is not worth a word', () => {
    const { outage, said, pass } = anOutage();

    outage.fails(failing('unreachable'));
    pass(1_000);
    outage.answers();

    expect(said).toEqual([]);
  });

  test('is said while a question waits for its answer: soon when one has failed before, else after a while', () => {
    const { outage, said, pass } = anOutage();
    pass(14_000);
    outage.waits(start);
    expect(said).toEqual([]);
    pass(1_000);
    outage.waits(start);
    expect(said).toEqual([expect.stringMatching(/^no answer since 2026-11-20T02:00:00Z: nothing has come for 15s; /)]);

    const other = anOutage();
    other.outage.fails(failing('unreachable'));
    other.pass(2_000);
    other.outage.waits(start + 1_000);
    expect(other.said).toEqual([expect.stringMatching(/^no answer since 2026-11-20T02:00:00Z: it is unreachable; /)]);
  });

  test('of several lasts until the last of them answers', () => {
    const { outage, said, pass } = anOutage();

    outage.fails(failing('unreachable'), 'Pod');
    outage.fails(failing('unreachable'), 'ImageAvailability');
    pass(5_000);
    outage.fails(failing('unreachable'), 'Pod');
    outage.answers('Pod');
    expect(said).toHaveLength(1);
    outage.answers('ImageAvailability');

    expect(said.at(-1)).toBe('answers again, after 5s');
  });

  test.each<FailureCode>(['denied', 'unauthorized', 'missing', 'invalid', 'unsupported'])('is none when the answer is %s: no waiting helps', (code) => {
    expect(anOutage().outage.fails(failing(code))).toBe(false);
  });

  test('ends with refusals for a moment, as of an API server that has not read who may do what; a lasting one is meant', () => {
    const { outage, pass } = anOutage();

    outage.fails(failing('unreachable'));
    expect(outage.fails(failing('denied'))).toBe(true);
    pass(14_000);
    expect(outage.fails(failing('denied'))).toBe(true);
    pass(1_000);

    expect(outage.fails(failing('denied'))).toBe(false);
  });
});

describe('whoever asks until there is an answer', () => {
  const asking = { random: () => 0, signal: new AbortController().signal };

  test('gets it after the failures that pass', async () => {
    const { outage } = anOutage();
    let asked = 0;

    const answer = await untilAnswered(() => ((asked += 1) < 3 ? Promise.reject(failing('unreachable')) : Promise.resolve('here')), { outage, ...asking });

    expect([answer, asked]).toEqual(['here', 3]);
  });

  test.each<[string, Error]>([
    ['a right that is missing', failing('denied')],
    ['a mistake of our own', new TypeError('nothing there')],
  ])('is told of %s', async (_what, error) => {
    await expect(untilAnswered(() => Promise.reject(error), { outage: anOutage().outage, ...asking })).rejects.toBe(error);
  });

  test('stops when somebody interrupts, even while no answer comes', async () => {
    const interrupt = new AbortController();
    const answer = untilAnswered(() => new Promise<string>(() => undefined), { outage: anOutage().outage, signal: interrupt.signal });

    interrupt.abort();

    await expect(answer).resolves.toBeUndefined();
  });
});
