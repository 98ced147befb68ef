import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder } from '../../tools/servers.js';
import type { ImageList } from '../../src/commands/documents/images.js';
import { readDocument } from '../support/documents.js';
import { kuikAs, kuikOn, type Ended } from '../support/kuik.js';
import { applyQuickstart, createPod, push, recordOf, until, untilMirrored } from '../support/stage.js';
import { userWith } from '../support/users.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('images') });
  await applyQuickstart(stage);
  await push(stage, 'web:1.0');
  await createPod(stage, 'web', stage.image());
  await untilMirrored(stage, stage.image());
});
afterAll(() => stage?.close());

const kuik = (...args: string[]): Promise<Ended> => kuikOn(stage, ...args);

describe('kuik images', () => {
  test('shows an image, its copies and its Pods: exit 0', async () => {
    const { code, output, errors } = await kuik('images');

    expect(errors).toBe('');
    expect(output).toMatch(/^IMAGE +AVAILABLE +COPIES +PODS +USED BY +NOTE\n.*web:1.0 +yes +1\/1 +1 +default\/web\n$/);
    expect(code).toBe(0);
  });

  test('prints the same as data, in JSON and YAML, as the schema says', async () => {
    const [json, yaml] = [await kuik('images', '-o', 'json'), await kuik('images', '-o', 'yaml')];

    const { items } = readDocument<ImageList>('ImageList', json.output);
    expect(items).toMatchObject([{ image: stage.image(), pullable: 'yes', users: ['default/web'], places: [{ role: 'origin' }, { role: 'mirror', reference: stage.copyOf() }] }]);
    expect(readDocument('ImageList', yaml.output)).toEqual({ apiVersion: 'cli.kuik.enix.io/v1', kind: 'ImageList', items });
  });

  test('prints names that kubectl and kuik take', async () => {
    const { output } = await kuik('images', '-o', 'name');

    expect(await stage.kubectl('get', output.trim(), '-o', 'jsonpath={.spec.image}')).toBe(stage.image());
    expect((await kuik('retry', output.trim(), '--dry-run=client')).code).toBe(0);
  });

  test('--unmirrored finds the image whose copy failed, and says why: exit 2', async () => {
    await createPod(stage, 'gone', stage.image('gone:1.0'));
    await until('the copy to fail', async () => (await recordOf(stage, stage.image('gone:1.0')))?.failure !== undefined);

    const { code, output } = await kuik('images', '--unmirrored', '-o', 'wide');

    expect(output).toMatch(/gone:1\.0 +\S+ +0\/1 +1 +default\/gone +.*missing/);
    expect(output).not.toContain('web:1.0');
    expect(code).toBe(2);
  });

  test('of a namespace without Pods lists nothing, and says so: exit 0', async () => {
    expect(await kuik('images', '-n', 'kuik-system')).toEqual({ code: 0, output: '', errors: 'no image is like that\n' });
  });

  test('-w goes on with what changes, and Ctrl-C ends it: exit 130', async () => {
    const child = spawn(join(projectRoot(), 'bin', 'kuik'), ['images', '-w', '--kubeconfig', stage.api.kubeconfig], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    await until('the first picture', async () => output.includes('web:1.0'));

    await push(stage, 'late:1.0');
    await createPod(stage, 'late', stage.image('late:1.0'));
    await until('the new image', async () => /late:1\.0 +yes +1\/1 +1 +default\/late\n/.test(output));
    child.kill('SIGINT');

    expect(await ended).toBe(130);
    expect(output.match(/web:1\.0/g)).toHaveLength(1);
  });

  test('of somebody who may not list Pods shows the images all the same', async () => {
    const reader = await userWith(stage, 'reader', [{ apiGroups: ['kuik.enix.io'], resources: ['imageavailabilities'], verbs: ['get', 'list'] }]);

    const { code, output, errors } = await kuikAs(reader, 'images', '--unmirrored');

    expect(errors).toMatch(/you may not list Pods/);
    expect(output).toMatch(/gone:1\.0 +\S+ +0\/1 +1 +NotFound: manifest/);
    expect(code).toBe(2);
  });

  test.each<[string, string[], RegExp]>([
    ['an image', ['images', 'nginx'], /^kuik images: nginx: takes no image; kuik describe nginx/],
    ['two filters', ['images', '--unused', '--drifted'], /choose one of --unavailable/],
    ['one namespace and all', ['images', '-n', 'a', '-A'], /leave one out/],
    ['a wrong selector', ['images', '-l', 'a=b c'], /not a label selector/],
  ])('of %s is refused with the next step: exit 1', async (_what, args, said) => {
    const { code, output, errors } = await kuik(...args);

    expect(output).toBe('');
    expect(errors).toMatch(said);
    expect(code).toBe(1);
  });
});
