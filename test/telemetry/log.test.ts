import { describe, expect, test } from '@jest/globals';
import { createLog, parseLevel, type LogOptions } from '../../src/telemetry/log.js';

function listen(options: Partial<LogOptions> = {}): { lines: string[]; log: ReturnType<typeof createLog> } {
  const lines: string[] = [];
  const log = createLog({ level: 'info', encoder: 'json', ...options, destination: { write: (line) => void lines.push(line) } });
  return { lines, log };
}

describe('log lines', () => {
  test('are JSON objects with level, time, message and fields', () => {
    const { lines, log } = listen({ fields: { process: 'webhook' } });

    log.warn({ pod: 'shop/web' }, 'pod admitted unchanged');

    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(line).toMatchObject({ level: 'warn', process: 'webhook', pod: 'shop/web', msg: 'pod admitted unchanged' });
    expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  test.each([
    [{ password: 'canary' }],
    [{ secret: { data: { '.dockerconfigjson': 'canary' } } }],
    [{ request: { headers: { authorization: 'canary' } } }],
    [{ credential: { identityToken: 'canary' } }],
  ])('never hold a secret: %j', (fields) => {
    const { lines, log } = listen();

    log.info(fields, 'something');

    expect(lines[0]).not.toContain('canary');
    expect(lines[0]).toContain('[redacted]');
  });

  test('below the level are not written', () => {
    const { lines, log } = listen({ level: 'warn' });

    log.info('something changed');

    expect(lines).toEqual([]);
  });

  test('in console form are for people', () => {
    const { lines, log } = listen({ encoder: 'console' });

    log.info({ image: 'nginx', note: 'two words' }, 'copied');

    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d INFO {2}copied {2}image=nginx note="two words"\n$/);
  });
});

test.each([
  ['debug', 'debug'],
  ['INFO', 'info'],
  ['Error', 'error'],
  ['panic', 'error'],
  ['0', 'info'],
  ['1', 'debug'],
  ['5', 'trace'],
  ['loud', undefined],
  ['-1', undefined],
  ['', undefined],
])('the level %j is read as %s', (text, level) => {
  expect(parseLevel(text)).toBe(level);
});
