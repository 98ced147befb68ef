/** What the command line tells somebody who may read one namespace only, and somebody who may read our records beside it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ExplanationList } from '../../src/commands/documents/explain.js';
import type { ImageList } from '../../src/commands/documents/images.js';
import type { Rehearsal } from '../../src/commands/documents/rehearsal.js';
import { Stage } from '../../tools/demo/stage.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder } from '../../tools/servers.js';
import { readDocument } from '../support/documents.js';
import { kuikAs, kuikOn, type Ended } from '../support/kuik.js';
import { applyQuickstart, createPod, push, until, untilMirrored } from '../support/stage.js';
import { viewerOf } from '../support/users.js';

let stage: Stage;
/** may read namespace shop, and nothing else */
let narrow: string;
/** may read records, cluster-wide rules, and the settings, too */
let knowing: string;

beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('narrow') });
  await applyQuickstart(stage);
  await push(stage, 'web:1.0');
  await push(stage, 'other:1.0');
  await stage.kubectl('create', 'namespace', 'shop');
  await createPod(stage, 'other', stage.image('other:1.0'));
  await createPod(stage, 'far', stage.image());
  await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' }, spec: { containers: [{ name: 'web', image: stage.image() }] } }));
  await untilMirrored(stage, stage.image());
  narrow = await viewerOf(stage, 'shop', 'narrow');
  knowing = await viewerOf(stage, 'shop', 'knowing', [{ apiGroups: ['kuik.enix.io'], resources: ['imageavailabilities', 'clusterimagesetmirrors', 'clusterreplicatedimagesets', 'clusterimagesetavailabilities'], verbs: ['get', 'list', 'watch'] }, { apiGroups: [''], resources: ['configmaps'], resourceNames: ['kube-image-keeper-manager-config'], verbs: ['get'] }]);
}, 120_000);
afterAll(() => stage?.close());

const asNarrow = (...args: string[]): Promise<Ended> => kuikAs(narrow, ...args);
const asKnowing = (...args: string[]): Promise<Ended> => kuikAs(knowing, ...args);

describe('somebody who may read one namespace only', () => {
  test('sees its images and their Pods, and is told what is not shown: exit 0', async () => {
    const { code, output, errors } = await asNarrow('images', '-n', 'shop');

    expect(output).toMatch(/^IMAGE +AVAILABLE +COPIES +PODS +USED BY +NOTE\n\S+web:1\.0 +hidden +hidden +1 +shop\/web\n$/);
    expect(errors).toMatch(/^kuik images: you may not list imageavailabilities: of the images of namespace shop it is not shown .*ask for the verbs get and list on them in API group kuik\.enix\.io\n$/);
    expect(code).toBe(0);
    expect(readDocument<ImageList>('ImageList', (await asNarrow('images', '-n', 'shop', '-o', 'json')).output).items).toMatchObject([{ image: stage.image(), hidden: true, users: ['shop/web'], places: [] }]);
  });

  test.each<[string, string[], RegExp]>([
    ['of all namespaces', ['images'], /^kuik images: you may not list Pods of all namespaces: name a namespace with -n/],
    ['of another namespace', ['images', '-n', 'default'], /^kuik images: you may not list Pods of namespace default: name another namespace with -n/],
    ['by what only records tell', ['images', '-n', 'shop', '--unmirrored'], /^kuik images: --unmirrored: you may not list imageavailabilities, which tell: ask for the verbs/],
    ['and what becomes of them', ['images', '-n', 'shop', '-w'], /^kuik images: -w: you may not list imageavailabilities, which are watched: ask/],
    ['one by one', ['describe', 'nginx'], /^kuik describe: not allowed to get imageavailabilities \S+: grant verb get on imageavailabilities in API group kuik.enix.io/],
    ['and what would happen everywhere', ['rehearse', 'docker.io'], /^kuik rehearse: you may not list Pods of all namespaces: name one with -n, or ask for that right\n$/],
  ])('cannot ask for images %s, and is told what would help: exit 1', async (_what, args, said) => {
    const { code, output, errors } = await asNarrow(...args);

    expect(errors).toMatch(said);
    expect([code, output]).toEqual([1, '']);
  });

  test('has a Pod explained by the rules of its namespace, and is told that others were not seen', async () => {
    await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ImageSetMirror', metadata: { name: 'team', namespace: 'shop' }, spec: { filter: { include: [{ image: '.+' }] }, mirrors: [{ registry: stage.mirror.address, path: '/team' }] } }));

    const { code, output, errors } = await asNarrow('explain', 'pod/web', '-o', 'json');

    const { items, hidden } = readDocument<ExplanationList>('ExplanationList', output);
    expect(hidden).toEqual(['get configmaps kube-image-keeper-manager-config in namespace kuik-system', 'list clusterimagesetavailabilities', 'list clusterimagesetmirrors', 'list clusterreplicatedimagesets', 'list imageavailabilities']);
    expect(errors).toMatch(/^kuik explain: you may not get configmaps \S+ in namespace kuik-system, list clusterimagesetavailabilities, .*: what stands there is not counted, and the webhook, which reads it, may decide otherwise\n$/);
    expect(items).toMatchObject([{ namespace: 'shop', containers: [{ image: stage.image(), reason: 'OriginAvailable', places: [{ rule: '(origin)' }, { rule: 'ImageSetMirror/shop/team' }] }] }]);
    expect(code).toBe(0);
    await stage.kubectl('delete', 'ism', 'team', '-n', 'shop', '--wait=false');
  });

  test('rehearses for its namespace', async () => {
    const { output, errors } = await asNarrow('rehearse', stage.sourceAddress, '-n', 'shop', '-o', 'json');

    const { hidden, workloads } = readDocument<Rehearsal>('Rehearsal', output);
    expect(hidden).toContain('list clusterimagesetmirrors');
    expect(errors).toMatch(/^kuik rehearse: you may not get configmaps \S+ in namespace kuik-system, list clusterimagesetavailabilities/);
    expect(workloads.map(({ namespace, name }) => `${namespace} ${name}`)).toEqual(['shop pod/web']);
  });
});

describe('somebody who may read our records beside one namespace', () => {
  test('sees all that is known of its images, and of their Pods those of the namespace', async () => {
    const { code, output, errors } = await asKnowing('images', '-n', 'shop');

    expect(errors).toBe('');
    expect(output).toMatch(/^IMAGE +AVAILABLE +COPIES +PODS +USED BY +NOTE\n\S+web:1\.0 +\w+ +1\/1 +2 +shop\/web\n$/);
    expect(code).toBe(0);
    expect(output).toBe((await kuikOn(stage, 'images', '-n', 'shop')).output);
  });

  test('watches them', async () => {
    const child = spawn(join(projectRoot(), 'bin', 'kuik'), ['images', '-n', 'shop', '-w', '--kubeconfig', knowing], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    await until('the first picture', async () => output.includes('shop/web'));
    child.kill('SIGINT');

    expect(await ended).toBe(130);
    expect(output).not.toContain('other:1.0');
  });

  test('has a Pod explained as the webhook decides', async () => {
    const { code, output, errors } = await asKnowing('explain', 'pod/web', '-o', 'json');

    expect(errors).toBe('');
    const { items, hidden } = readDocument<ExplanationList>('ExplanationList', output);
    expect(hidden).toBeUndefined();
    expect(items[0]?.containers[0]?.places.map(({ rule }) => rule)).toContain('ClusterImageSetMirror/everything');
    expect(code).toBe(0);
  });

  test('has an image described, with the Pods of their namespace', async () => {
    const { output, errors } = await asKnowing('describe', stage.image());

    expect(errors).toMatch(/you may not list Pods of all namespaces: what uses an image is shown of namespace shop only, that of your context, nor is its next check\n/);
    expect(output).toMatch(/shop\/web +web +/);
    expect(output).not.toContain('default/far');
  });
});
