import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder, toolOutput } from '../../tools/servers.js';
import type { RetryResultList } from '../../src/commands/documents/requests.js';
import { readDocument } from '../support/documents.js';
import { kuikOn, type Ended } from '../support/kuik.js';
import { applyQuickstart, createPod, push, recordOf, tagIsThere, until, untilMirrored } from '../support/stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('retry') });
  await applyQuickstart(stage);
});
afterAll(() => stage?.close());

const kuik = (...args: string[]): Promise<Ended> => kuikOn(stage, ...args);

/** A Pod of an image that is not at its source: the copy fails, and by itself is tried again in six hours. */
async function failedImage(name: string): Promise<string> {
  await createPod(stage, name.replace(/[:.]/g, '-'), stage.image(name));
  await until(`the copy of ${name} to fail`, async () => (await recordOf(stage, stage.image(name)))?.failure?.code === 'missing');
  return stage.image(name);
}

describe('kuik retry', () => {
  test('tells that a copy fails again, why, and what to do: exit 2', async () => {
    const image = await failedImage('gone:1.0');

    const { code, output, errors } = await kuik('retry', image);

    expect(errors).toBe('');
    expect(output).toMatch(/RESULT +WHY\n.*gone:1.0 +failed +missing: .*; check the name and the tag/);
    expect(code).toBe(2);
  });

  test('copies what is back at its source, with every other one that failed: exit 0 or 2, by all of them', async () => {
    const [late] = [await failedImage('late:1.0'), await failedImage('never:1.0')];
    await push(stage, 'late:1.0');

    const { code, output } = await kuik('retry', '--failed', '--registry', stage.sourceAddress, '-o', 'json');

    const { items } = readDocument<RetryResultList>('RetryResultList', output);
    expect(items.find(({ image }) => image === late)?.result).toBe('copied');
    expect(items.filter(({ result }) => result === 'failed')).toHaveLength(2);
    expect(code).toBe(2);
    expect(await tagIsThere(stage.copyOf('late:1.0'))).toBe(true);
  });

  test('of a copy that is there compares it and says so, at once: exit 0', async () => {
    await push(stage, 'web:1.0');
    await createPod(stage, 'web', stage.image());
    await untilMirrored(stage, stage.image());

    const { code, output } = await kuik('mirror', stage.image());

    expect(output).toMatch(/web:1.0 +copied +sha256:/);
    expect(code).toBe(0);
  });

  test('with --no-wait asks, and goes', async () => {
    const { code, output } = await kuik('retry', stage.image(), '--no-wait', '-o', 'name');

    expect(code).toBe(0);
    const name = output.trim().replace('imageavailability.kuik.enix.io/', '');
    await until('the request to be carried out', async () => !(await stage.kubectl('get', 'ia', name, '-o', 'yaml')).includes('requested-at'));
  });

  test.each(['client', 'server'])('with --dry-run=%s changes nothing', async (where) => {
    const { code, output } = await kuik('retry', stage.image(), `--dry-run=${where}`);

    expect(code).toBe(0);
    expect(output).toContain(`asked (${where} dry run)`);
    const { name } = (await recordOf(stage, stage.image()))!;
    expect(await stage.kubectl('get', 'ia', name, '--show-managed-fields', '-o', 'jsonpath={.metadata.annotations}')).toBe('');
  });

  test('that is not done in time says where to look: exit 1', async () => {
    await stage.temporal.stop();

    const { code, output, errors } = await kuik('retry', stage.image(), '--timeout', '2s');
    await stage.temporal.start();

    expect(output).toMatch(/asked\n/);
    expect(errors).toMatch(/not done in time: 0 of 1 copied, 1 asked; .* --watch/);
    expect(code).toBe(1);
  });

  test('that is interrupted ends at once, and says no more: exit 130', async () => {
    await stage.temporal.stop();
    const { name } = (await recordOf(stage, stage.image()))!;
    const request = (): Promise<string> => stage.kubectl('get', 'ia', name, '-o', 'jsonpath={.metadata.annotations.kuik\\.enix\\.io/requested-at}');
    const before = await request(); // the one above may still be waiting
    const child = spawn(join(projectRoot(), 'bin', 'kuik'), ['retry', stage.image(), '--watch', '--kubeconfig', stage.api.kubeconfig], { stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    await until('the request to be made', async () => ![before, ''].includes(await request()));

    child.kill('SIGINT');

    expect(await ended).toBe(130);
    await stage.temporal.start();
  });

  test('heals a keeper that somebody terminated', async () => {
    const { address, namespace } = stage.temporal.running;
    const image = await failedImage('heals:1.0');
    await toolOutput('temporal', ['workflow', 'terminate', '--address', address, '--namespace', namespace, '--workflow-id', `keep/${stage.copyOf('heals:1.0')}`]);
    await push(stage, 'heals:1.0');

    const { code, output } = await kuik('retry', image, '--timeout', '60s');

    expect(output).toMatch(/heals:1.0 +copied/);
    expect(code).toBe(0);
  });

  test.each<[string, string[], RegExp]>([
    ['an image nobody uses', ['retry', 'nginx:9'], /^kuik retry: nginx:9 \(docker.io\/library\/nginx:9\): kuik has no record of it.*kubectl get ia/],
    ['nothing', ['retry'], /^kuik retry: name images, or all that failed with --failed/],
    ['a registry without --failed', ['retry', 'nginx', '--registry', 'docker.io'], /^kuik retry: --registry: .*add --failed/],
    ['an unknown option', ['retry', '--nope'], /^kuik retry: unknown option '--nope'/],
    ['a wrong time', ['retry', 'nginx', '--timeout', 'soon'], /Write a duration/],
    ['a context that is not there', ['retry', 'nginx', '--context', 'nope'], /^kuik retry: no cluster found: context "nope"/],
  ])('of %s is refused with the next step: exit 1', async (_what, args, said) => {
    const { code, output, errors } = await kuik(...args);

    expect(output).toBe('');
    expect(errors).toMatch(said);
    expect(code).toBe(1);
  });
});

describe('kuik pause', () => {
  const suspended = async (): Promise<string> => stage.kubectl('get', 'cism', 'everything', '-o', 'jsonpath={.spec.suspend}');

  test('of an image: nothing is copied for it, until kuik resume', async () => {
    const image = await failedImage('held:1.0');

    expect(await kuik('pause', image)).toMatchObject({ code: 0, output: expect.stringMatching(/held:1.0 +paused\n/), errors: '' });
    await until('the record to say so', async () => (await stage.kubectl('get', 'ia', (await recordOf(stage, image))!.name, '-o', 'jsonpath={.status.conditions[?(@.type=="Mirrored")].reason}')) === 'Paused');
    await push(stage, 'held:1.0');
    expect(await kuik('pause', image)).toMatchObject({ code: 0, output: expect.stringMatching(/paused already/) });
    expect(await kuik('retry', image)).toMatchObject({ code: 1, errors: expect.stringContaining(`somebody paused it; kuik resume ${image}`) });
    await stage.kubectl('annotate', 'ia', (await recordOf(stage, image))!.name, `kuik.enix.io/requested-at=${new Date().toISOString()}`);
    await until('the request to be taken', async () => (await stage.kubectl('get', 'ia', (await recordOf(stage, image))!.name, '-o', 'jsonpath={.metadata.annotations.kuik\\.enix\\.io/requested-at}')) === '');
    expect(await tagIsThere(stage.copyOf('held:1.0'))).toBe(false);

    expect(await kuik('resume', image)).toMatchObject({ code: 0, output: expect.stringMatching(/held:1.0 +running\n/) });
    await untilMirrored(stage, image);
  });

  test('of a rule: it is suspended by spec.suspend, and resume takes back what pause wrote', async () => {
    expect(await kuik('pause', 'cism/everything', '--dry-run', 'server')).toMatchObject({ code: 0, output: expect.stringMatching(/ClusterImageSetMirror\/everything +paused \(server dry run\)/) });
    expect(await suspended()).toBe('');

    expect((await kuik('pause', 'cism/everything', '-o', 'name')).output).toBe('clusterimagesetmirror.kuik.enix.io/everything\n');
    expect(await suspended()).toBe('true');
    await until('the rule to say so', async () => (await stage.kubectl('get', 'cism', 'everything', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].reason}')) === 'Suspended');

    expect(readDocument('PausedList', (await kuik('resume', 'clusterimagesetmirrors.kuik.enix.io/everything', '-o', 'yaml')).output)).toMatchObject({ items: [{ state: 'running', changed: true }] });
    expect(await suspended()).toBe('');
  });

  test('never overrides what a user wrote, and says who did', async () => {
    await stage.kubectl('patch', 'cism', 'everything', '--type=merge', '--field-manager=terraform', '-p', '{"spec":{"suspend":true}}');

    const { code, errors } = await kuik('resume', 'cism/everything');

    expect([code, errors]).toEqual([1, 'kuik resume: ClusterImageSetMirror/everything: spec.suspend is set by terraform; set it to false there\n']);
    await stage.kubectl('patch', 'cism', 'everything', '--type=json', '-p', '[{"op":"remove","path":"/spec/suspend"}]');
  });

  test('tells of a tool that may undo it', async () => {
    await stage.kubectl('annotate', 'cism', 'everything', 'argocd.argoproj.io/tracking-id=app');

    expect((await kuik('pause', 'cism/everything')).errors).toContain('is kept by Argo CD, which may undo this');
    expect((await kuik('resume', 'cism/everything')).code).toBe(0);
  });

  test.each<[string, string[], RegExp]>([
    ['nothing', ['pause'], /^kuik pause: name an image or a rule/],
    ['a rule that is not there', ['pause', 'ism/gone', '-n', 'shop'], /^kuik pause: ImageSetMirror\/shop\/gone: there is no such rule/],
    ['an image kuik does not know', ['resume', 'nginx:9'], /kuik has no record of it/],
  ])('of %s is refused with the next step: exit 1', async (_what, args, said) => {
    const { code, errors } = await kuik(...args);

    expect(errors).toMatch(said);
    expect(code).toBe(1);
  });
});

describe('kuik pin', () => {
  const expires = async (): Promise<string> => stage.kubectl('get', 'ia', (await recordOf(stage, stage.image()))!.name, '-o', 'jsonpath={.status.expiresAt}');

  test('takes the announced end of an unused copy away, and unpin brings it back', async () => {
    const mirror = { registry: stage.mirror.address, path: '/kept', cleanup: { enabled: true } };
    await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'everything' }, spec: { filter: { include: [{ image: '.+' }] }, mirrors: [mirror] } }));
    await stage.kubectl('delete', 'pod', 'web', '--now');
    await until('its end to be announced', async () => (await expires()) !== '');

    const pinned = await kuik('pin', stage.image());
    expect(pinned).toMatchObject({ code: 0, output: expect.stringMatching(/web:1.0 +for ever +0\n/), errors: '' });
    await until('the end to go away', async () => (await expires()) === '');

    readDocument('PinnedImageList', (await kuik('pin', stage.image(), '-o', 'yaml')).output);
    expect(await kuik('unpin', stage.image())).toMatchObject({ code: 0, output: expect.stringContaining('as its retention says') });
    await until('the end to be back', async () => (await expires()) !== '');
  });

  test('until a time announces none before it', async () => {
    expect((await kuik('pin', stage.image(), '--until', '2099-01-31')).code).toBe(0);

    await until('the end to move', async () => (await expires()) === '2099-01-31T00:00:00.000Z');
  });

  test.each<[string, string[], RegExp]>([
    ['an image kuik does not know', ['pin', 'nginx:9'], /^kuik pin: nginx:9 \(docker.io\/library\/nginx:9\): kuik has no record of it/],
    ['nothing', ['unpin'], /^kuik unpin: name an image/],
    ['a time that is over', ['pin', 'nginx', '--until', '2020-01-01'], /that time is over/],
  ])('of %s is refused with the next step: exit 1', async (_what, args, said) => {
    const { code, errors } = await kuik(...args);

    expect(errors).toMatch(said);
    expect(code).toBe(1);
  });
});
