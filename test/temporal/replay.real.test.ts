import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { installRuntime } from '../../src/temporal/runtime.js';
import { quiet } from '../support/temporal-lab.js';

/**
 * Running workflows of every supported release must go on with this code. A test that fails here means: wrap the
 * change in `patched('...')`, or take it back. Never record the history again.
 */
const folder = 'test/histories';
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));

beforeAll(() => installRuntime(quiet));

test('there are histories of keepers, copies, deletions and monitors to replay', () => {
  expect(files.some((file) => file.includes('keepImage'))).toBe(true);
  expect(files.some((file) => file.includes('copyImage'))).toBe(true);
  expect(files.some((file) => file.includes('deleteImage'))).toBe(true);
  expect(files.some((file) => file.includes('monitorRegistry'))).toBe(true);
});

test.each(files)('%s goes on with this release', async (file) => {
  const history = historyFromJSON(JSON.parse(readFileSync(join(folder, file), 'utf8')));
  const workflowId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? 'unknown';

  const results = Worker.runReplayHistories({ workflowBundle: { codePath: 'dist/workflows.bundle.js' } }, [{ workflowId, history }]);

  for await (const { error } of results) expect(error).toBeUndefined();
});

test('a history that this code would not have made is noticed', async () => {
  const text = readFileSync(join(folder, files.find((file) => file.includes('copyImage') && file.endsWith('copied.json'))!), 'utf8');
  const history = historyFromJSON(JSON.parse(text.replaceAll('"resolveSource"', '"somethingElse"')));

  const results = Worker.runReplayHistories({ workflowBundle: { codePath: 'dist/workflows.bundle.js' } }, [{ workflowId: 'changed', history }]);

  for await (const { error } of results) expect(error).toBeDefined();
});
