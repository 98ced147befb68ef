import { expect, test } from '@jest/globals';
import { sdkLogger, type TemporalLog } from '../../src/temporal/logger.js';

/** Notes what is logged, with its level. */
function noting(): { log: TemporalLog; lines: [string, object, string][] } {
  const lines: [string, object, string][] = [];
  const write = (level: string) => (fields: object, message: string) => void lines.push([level, JSON.parse(JSON.stringify(fields)) as object, message]);
  return { lines, log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') } };
}

test.each([
  ['a warning stays a warning', 'WARN', 'Worker failed', 'warn'],
  ['what the SDK tells of its own life is for debugging', 'INFO', 'Worker state changed', 'debug'],
  ['a worker without workflows is what we want', 'WARN', 'No workflows registered, not polling for workflow tasks', 'debug'],
  ['an error stays an error', 'ERROR', 'Activity failed', 'error'],
] as const)('%s', (_sentence, level, message, expected) => {
  const { log, lines } = noting();

  sdkLogger(log).log(level, message, { sdkComponent: 'worker', taskQueue: 'kuik', taskToken: 'never-to-be-seen' });

  expect(lines).toEqual([[expected, { component: 'temporal worker', taskQueue: 'kuik' }, message]]);
});
