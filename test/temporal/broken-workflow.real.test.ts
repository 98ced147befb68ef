/** What the SDK counts when code no longer fits a history, under the names that an alert waits for. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { signals, workflowQueue, workflowTypes } from '../../src/temporal/contract.js';
import { endRuntime, installRuntime } from '../../src/temporal/runtime.js';
import { ask } from '../../tools/health.js';
import { projectRoot } from '../../tools/programs.js';
import { freePort, startTemporal, type TemporalServer } from '../../tools/servers.js';
import { until } from '../support/until.js';

const quiet = { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const task = {
  v: 1, destination: 'registry.example.com/kept/library/nginx:1.27', publishAs: 'registry.example.com/kept/library/nginx:1.27', image: 'docker.io/library/nginx:1.27', cluster: 'vienna', clusters: ['vienna'],
  sources: ['docker.io/library/nginx:1.27'], rules: [], platforms: [], copy: 'auto', referrers: 'none', urgency: 'normal', plan: 'plan', keeper: 'keep/registry.example.com/kept/library/nginx:1.27', searchable: false,
};

let server: TemporalServer;
let metricsUrl: string;
/** while it is open the native side goes on, and with it its metrics */
let native: NativeConnection;
beforeAll(async () => {
  const port = await freePort();
  metricsUrl = `http://127.0.0.1:${port}/metrics`;
  installRuntime(quiet, `127.0.0.1:${port}`);
  server = await startTemporal();
  native = await NativeConnection.connect({ address: server.address });
});
afterAll(async () => {
  await native?.close();
  await server?.kill();
  await endRuntime();
});

/** Workflow steps with this code, while something is awaited. */
async function working(code: string, during: () => Promise<unknown>): Promise<void> {
  const worker = await Worker.create({ connection: native, namespace: server.namespace, taskQueue: workflowQueue, workflowBundle: { code } });
  await worker.runUntil(during);
}

test('code that does not fit a history is counted as NonDeterminismError', async () => {
  const code = await readFile(join(projectRoot(), 'dist', 'workflows.bundle.js'), 'utf8');
  const connection = await Connection.connect({ address: server.address });
  const { workflow } = new Client({ connection, namespace: server.namespace });
  const handle = await workflow.start(workflowTypes.copyImage, { taskQueue: workflowQueue, workflowId: 'task/x', args: [task] });
  const pending = async (): Promise<number> => (await handle.describe()).raw.pendingActivities?.length ?? 0;
  await working(code, () => until(async () => (await pending()) > 0));

  await handle.signal(signals.retry); // another step, so that the history is played again
  const failed = async (): Promise<string | undefined> => (await ask(metricsUrl)).body.split('\n').find((line) => line.startsWith('temporal_workflow_task_execution_failed_total{'));
  await working(code.replaceAll('recordOutcome', 'recordTheOutcome'), () => until(async () => (await failed()) !== undefined));

  expect(await failed()).toMatch(/^temporal_workflow_task_execution_failed_total\{.*failure_reason="NonDeterminismError".*\} [1-9]/);
  await connection.close();
});
