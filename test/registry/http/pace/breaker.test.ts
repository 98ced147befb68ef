import { describe, expect, test } from '@jest/globals';
import { Breaker, type Silence } from '../../../../src/registry/http/pace/breaker.js';
import { FakeTime } from '../../../support/fake-time.js';

const refused: Silence = { code: 'unreachable', why: 'connection refused' };
const slow: Silence = { code: 'timeout', why: 'no answer in time' };

class Lab {
  readonly time = new FakeTime();
  readonly changes: string[] = [];
  readonly breaker = new Breaker(this.time.now, (circuit) => this.changes.push(circuit));

  fail(times: number, silence = refused): void {
    for (let time = 0; time < times; time++) this.breaker.attempt().failed(silence);
  }

  later(ms: number): void {
    this.time.set(this.time.now() + ms);
  }
}

describe('a host that does not answer', () => {
  test('is asked until it has failed five times in a row', () => {
    const lab = openAfter(4);
    expect(lab.breaker.refusal()).toBeUndefined();

    lab.fail(1, slow);

    expect(lab.breaker.circuit).toBe('open');
    expect(lab.breaker.refusal()).toEqual({ silence: slow, forMs: 5000 });
    expect(lab.changes).toEqual(['open']);
  });

  test('any answer between failures starts the count again', () => {
    const lab = openAfter(4);
    lab.breaker.attempt().answered();

    lab.fail(4);

    expect(lab.breaker.circuit).toBe('closed');
  });

  test.each([
    ['5 s after five failures', 0, 5000],
    ['10 s when the one that tried failed', 1, 10_000],
    ['20 s after the second', 2, 20_000],
    ['40 s after the third', 3, 40_000],
    ['a minute after the fourth', 4, 60_000],
    ['a minute at most', 9, 60_000],
  ])('is left alone for %s', (_sentence, failedTrials, forMs) => {
    const lab = openAfter(5);
    for (let trial = 0; trial < failedTrials; trial++) {
      lab.later(60_000);
      expect(lab.breaker.refusal()).toBeUndefined();
      lab.breaker.attempt().failed(refused);
    }

    expect(lab.breaker.refusal()).toMatchObject({ forMs });
  });

  test('when its rest is over one request tries, and all others are still refused', () => {
    const lab = openAfter(5);
    lab.later(5000);

    lab.breaker.attempt();

    expect(lab.breaker.circuit).toBe('trying');
    expect(lab.breaker.refusal()).toEqual({ silence: refused, forMs: 0 });
  });

  test('an answer to the one that tried closes the circuit, and the next rest is short again', () => {
    const lab = openAfter(5);
    lab.later(5000);
    lab.breaker.attempt().failed(refused);
    lab.later(10_000);
    lab.breaker.attempt().answered();
    expect(lab.breaker.circuit).toBe('closed');
    expect(lab.changes).toEqual(['open', 'closed']);

    lab.fail(5);

    expect(lab.breaker.refusal()).toMatchObject({ forMs: 5000 });
  });

  test('one that tried and was called off leaves the place to the next', () => {
    const lab = openAfter(5);
    lab.later(5000);
    const trial = lab.breaker.attempt();

    trial.left();

    expect(lab.breaker.refusal()).toBeUndefined();
    expect(lab.breaker.circuit).toBe('open');
  });

  test('what began before the circuit opened does not lengthen the rest, but an answer to it ends it', () => {
    const lab = openAfter(0);
    const [first, second] = [lab.breaker.attempt(), lab.breaker.attempt()];
    lab.fail(5);
    lab.later(4000);

    first.failed(refused);
    expect(lab.breaker.refusal()).toMatchObject({ forMs: 1000 });
    second.answered();

    expect(lab.breaker.circuit).toBe('closed');
  });

  test('an attempt ends once: what is said after that changes nothing', () => {
    const lab = openAfter(4);
    const attempt = lab.breaker.attempt();
    attempt.answered();

    attempt.failed(refused);
    lab.fail(4);

    expect(lab.breaker.circuit).toBe('closed');
  });

  test('a clock that is set back does not lengthen the rest', () => {
    const lab = openAfter(5);
    lab.later(-3_600_000);

    expect(lab.breaker.refusal()).toMatchObject({ forMs: 5000 });
  });
});

function openAfter(failures: number): Lab {
  const lab = new Lab();
  lab.fail(failures);
  return lab;
}
