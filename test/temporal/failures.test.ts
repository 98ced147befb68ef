import { describe, expect, test } from '@jest/globals';
import { ActivityFailure, ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { Failure, failureCodes, failures, type FailureInfo } from '../../src/domain/failure.js';
import { applicationFailure, failureOf, finalCodes, toApplicationFailure } from '../../src/temporal/failures.js';

const minutes = 60_000;

function aFailure(some: Partial<FailureInfo> = {}): Failure {
  return new Failure({ code: 'unreachable', side: 'source', host: 'docker.io', message: 'connection refused by docker.io', ...some });
}

function fromActivity(cause: Error): ActivityFailure {
  return new ActivityFailure('activity failed', 'copyPlatform', '1', 'MAXIMUM_ATTEMPTS_REACHED', undefined, cause);
}

test.each(failureCodes)('%s crosses into Temporal and back unchanged', (code) => {
  const failure = aFailure({ code, retryAfterMs: 5000 });

  const thrown = toApplicationFailure(failure, 'copyPlatform');

  expect(thrown.type).toBe(code);
  expect(thrown.nonRetryable).toBe(finalCodes.includes(code));
  expect(failureOf(fromActivity(thrown), 'berlin')).toEqual({ code, side: 'source', host: 'docker.io', message: failure.message, retryAfterMs: 5000 });
});

test('only what may heal by itself is tried again inside a copy', () => {
  expect(failureCodes.filter((code) => !finalCodes.includes(code))).toEqual(['throttled', 'unreachable', 'timeout']);
});

test.each([
  ['the time the registry gave', aFailure({ code: 'throttled', retryAfterMs: 7 * minutes }), 7 * minutes],
  ['an hour at most, whatever it asks', aFailure({ code: 'throttled', retryAfterMs: 600 * minutes }), 60 * minutes],
  ['15 minutes when throttled without a time', aFailure({ code: 'throttled' }), failures.throttled.slowRetryMs],
  ['the time given by a server error', aFailure({ retryAfterMs: 3 * minutes }), 3 * minutes],
  ['its usual back-off otherwise', aFailure(), 1234],
])('the next attempt waits %s', (_sentence, failure, ms) => {
  expect(toApplicationFailure(failure, 'copyPlatform', 1234).nextRetryDelay).toBe(ms);
});

describe('a message keeps', () => {
  test.each([
    ['no query', 'get https://r.example.com/v2/x?token=hunter2&a=b failed', 'get https://r.example.com/v2/x failed'],
    ['no user of a URL', 'get https://user:hunter2@r.example.com/v2/ failed', 'get https://r.example.com/v2/ failed'],
    ['no authorization', 'sent Authorization: Bearer hunter2 and was refused', 'sent Authorization: Bearer ... and was refused'],
    ['no control characters', 'line one\r\nline two', 'line one line two'],
  ])('%s', (_sentence, message, clean) => {
    expect(applicationFailure(aFailure({ message })).message).toBe(clean);
  });

  test('256 characters', () => {
    expect(applicationFailure(aFailure({ message: 'x'.repeat(1000) })).message).toHaveLength(256);
  });
});

test('nothing of an unexpected error but its kind is told', () => {
  const thrown = toApplicationFailure(new TypeError('cannot read hunter2', { cause: new Error('hunter2') }), 'copyPlatform');

  expect(thrown).toMatchObject({ message: 'unexpected TypeError in copyPlatform, see the log of the manager', stack: '' });
  expect(JSON.stringify([thrown, thrown.cause, thrown.details])).not.toContain('hunter2');
  expect(failureOf(fromActivity(thrown), 'berlin')).toMatchObject({ code: 'invalid', side: 'cluster' });
});

test.each([
  ['a queue that nobody serves means that the cluster is away', fromActivity(new TimeoutFailure('', undefined, 'SCHEDULE_TO_START')), { code: 'unreachable', side: 'cluster', message: 'no worker of cluster berlin takes the work' }],
  ['missing heartbeats mean that the worker went away', fromActivity(new TimeoutFailure('', undefined, 'HEARTBEAT')), { code: 'timeout', side: 'cluster', message: 'the worker went away during the work' }],
  ['a terminated run says so', new TerminatedFailure(undefined), { code: 'timeout', side: 'cluster', message: 'the run was terminated by hand' }],
  ['a cancelled run says so', new CancelledFailure(undefined), { code: 'timeout', side: 'cluster', message: 'the run was cancelled by hand' }],
  ['a failure of our own keeps its code', aFailure({ code: 'corrupt', side: 'destination' }), { code: 'corrupt', side: 'destination' }],
  ['a code without details is still a code', ApplicationFailure.nonRetryable('gone', 'missing'), { code: 'missing' }],
] as const)('%s', (_sentence, error, info) => {
  expect(failureOf(error, 'berlin')).toMatchObject(info);
});
