import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Status } from '../../src/commands/documents/status.js';
import { Stage } from '../../tools/demo/stage.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder } from '../../tools/servers.js';
import { readDocument } from '../support/documents.js';
import { kuikAs, kuikOn, type Ended } from '../support/kuik.js';
import { applyQuickstart, createPod, push, recordOf, until, untilMirrored } from '../support/stage.js';
import { userWith } from '../support/users.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('status') });
});
afterAll(() => stage?.close());

const kuik = (...args: string[]): Promise<Ended> => kuikOn(stage, ...args);

describe('kuik status', () => {
  test('of an installation without rules says how to begin: exit 0', async () => {
    const { code, output, errors } = await kuik('status');

    expect(errors).toBe('');
    expect(output).toMatch(/^kuik \S+, context local, namespace kuik-system: webhook registered, led by \S+ \(\d+s ago\)\n\nNo rule yet: .*\n\nIMAGES {2}0 in use; 0 unused\n$/);
    expect(code).toBe(0);
  });

  test('says that all is well when every image has its copy: exit 0', async () => {
    await applyQuickstart(stage);
    await push(stage, 'web:1.0');
    await createPod(stage, 'web', stage.image());
    await untilMirrored(stage, stage.image());
    await until('the rule to count it', async () => (await stage.kubectl('get', 'cism', 'everything', '-o', 'jsonpath={.status.counts.mirrored}')) === '1');

    const { code, output } = await kuik('status');

    expect(output).toMatch(/All is well\n\nIMAGES {2}1 in use: 1 with every copy; 0 unused\n\nRULE +READY +IMAGES.*\nClusterImageSetMirror\/everything +True +1 +1 +0 +0 +InForce\n$/);
    expect(code).toBe(0);
  });

  test('says first which image can be pulled from nowhere, and what to do: exit 2', async () => {
    await createPod(stage, 'gone', stage.image('gone:1.0'));
    await until('the copy to fail', async () => (await recordOf(stage, stage.image('gone:1.0')))?.failure !== undefined);

    const { code, output } = await kuik('status');

    expect(output).toMatch(/LOOK AT FIRST\n {2}1\. .*gone:1\.0 can be pulled from nowhere.*\n {5}kuik images --unavailable -o wide lists why\n {2}2\. the copy of .*gone:1\.0 fails with missing/);
    expect(code).toBe(2);
    const status = readDocument<Status>('Status', (await kuik('status', '-o', 'yaml')).output);
    expect(status).toMatchObject({ webhook: 'registered', images: { used: 2, mirrored: 1, failed: 1, unpullable: 1 } });
  });

  test('answers while Temporal is away, and says so', async () => {
    await stage.temporal.stop();
    await until('a rule to say so', async () => (await stage.kubectl('get', 'cism', 'everything', '-o', 'jsonpath={.status.conditions}')).includes('TemporalUnavailable'));

    const { code, output } = await kuik('status');
    await stage.temporal.start();

    expect(output).toMatch(/ {2}1\. Temporal cannot be reached: copies and deletions wait/);
    expect(code).toBe(2);
  });

  test('of somebody who may read rules and records only leaves out what they may not see', async () => {
    const reader = await userWith(stage, 'reader', [{ apiGroups: ['kuik.enix.io'], resources: ['*'], verbs: ['get', 'list'] }]);

    const { code, output, errors } = await kuikAs(reader, 'status');

    expect(errors).toBe('');
    expect(output).toMatch(/webhook unknown\n/);
    expect(code).toBe(2);
  });

  test('-w goes on, one line at a time where nothing can be drawn, until Ctrl-C: exit 130', async () => {
    const child = spawn(join(projectRoot(), 'bin', 'kuik'), ['status', '-w', '--kubeconfig', stage.api.kubeconfig], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    await until('two lines', async () => output.split('\n').length > 2);
    child.kill('SIGINT');

    expect(await ended).toBe(130);
    expect(output).toMatch(/^1 of 2 images mirrored, 0 copies to come, 1 failed; .*\n/);
  });

  test('of a cluster without kuik says so: exit 2', async () => {
    const { code, output } = await kuik('status', '-n', 'default');

    expect(output).toContain('no manager leads');
    expect(code).toBe(2);
  });
});

describe('kuik describe', () => {
  test('tells of an image who uses it, where it is, and when it is checked next: exit 0', async () => {
    await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetAvailability', metadata: { name: 'all' }, spec: { filter: { include: [{ image: '.+' }] } } }));

    const { code, output, errors } = await kuik('describe', stage.image());

    expect(errors).toBe('');
    expect(output).toMatch(/web:1\.0\n {2}Record: +imageavailability\.kuik\.enix\.io\/\S+\n {2}Used by: +1 Pod\n {2}Copies: +1 of 1\n {2}Next check: +not before \S+Z, now number \d of 2 at its registry\n/);
    expect(output).toMatch(/default\/web +web +\(as written\) +OriginAvailable\n/);
    expect(output).toMatch(/Copied: +\S+Z \(\d+[sm] ago\), /);
    expect(output).toMatch(/this cluster +\S+ +ClusterImageSetMirror\/everything\n/);
    expect(output).toMatch(/ago +Normal +Mirrored +the copy at /);
    expect(code).toBe(0);
  });

  test('of an image whose copy failed says what to do: exit 2', async () => {
    const { code, output } = await kuik('describe', stage.image('gone:1.0'));

    expect(output).toMatch(/Trouble: +NotFound/);
    expect(output).toMatch(/Next step: +The registry answers, but holds no such image.*kuik retry/);
    expect(code).toBe(2);
  });

  test('prints data as its schema says', async () => {
    const { output } = await kuik('describe', stage.image(), '-o', 'yaml');

    expect(readDocument('ImageDescriptionList', output)).toMatchObject({ items: [{ image: stage.image(), usages: [{ pod: 'default/web' }], copiesInDetail: [{ destination: stage.copyOf() }] }] });
  });

  test('of somebody who may read records only leaves out what they may not see, and says what', async () => {
    const reader = await userWith(stage, 'records', [{ apiGroups: ['kuik.enix.io'], resources: ['imageavailabilities'], verbs: ['get', 'list'] }]);

    const { code, output, errors } = await kuikAs(reader, 'describe', stage.image());

    expect(errors).toMatch(/you may not list Pods/);
    expect(output).toMatch(/Used by: +1 Pod\n/);
    expect(code).toBe(0);
  });
});
