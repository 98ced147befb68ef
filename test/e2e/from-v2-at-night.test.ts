import { mkdtemp, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { createPod, push, recordOf, until } from '../support/stage.js';

const mirroredAt = '2026-10-01T10:00:00Z';
const many = 1_000;

/*
 * A set-up of v2 whose charts are swapped at night, while Pods start: rules with mistakes that v2's definitions let
 * through, Secrets that are not there, a rule somebody deleted while v2 was already gone, and long statuses.
 */
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('from-v2-at-night') });
  await stage.kuik.stop();
  await push(stage, 'web:1.0');
  await stage.crane('copy', stage.image(), stage.copyOf());
  await leave();
}, 180_000);
afterAll(() => stage?.close());

const mirror = (): object => ({ registry: stage.mirror.address, path: '/kept' });

async function leave(): Promise<void> {
  const missing = { name: 'nobody-made-it', namespace: 'kuik-system' };
  await rule('good', { imageFilter: { include: [`${stage.sourceAddress}/.+`] }, mirrors: [mirror()] });
  await status('cism', 'good', { matchingImages: [{ image: stage.image(), mirrors: [{ image: stage.copyOf(), mirroredAt }] }] });
  await rule('no-regex', { filter: { include: [{ image: 'nginx:(' }] }, mirrors: [{ ...mirror(), path: '/broken' }] });
  await rule('no-secret', { priority: -5, imageFilter: { include: ['.+'] }, mirrors: [{ ...mirror(), path: '/private', credentialSecret: missing }] });
  await rule('no-duration', { imageFilter: { include: [`${stage.sourceAddress}/.+`] }, cleanup: { enabled: true, retention: '7d' }, mirrors: [{ ...mirror(), path: '/kept-too' }] });
  // deleted after v2 had gone: nobody took its finalizers off
  await rule('leaving', { imageFilter: { include: ['.+'] }, cleanup: { enabled: true, retention: '168h' }, mirrors: [{ ...mirror(), path: '/leaving', credentialSecret: missing }] }, ['kuik.enix.io/mirror-cleanup', 'kuik.enix.io/secret-cleanup']);
  await status('cism', 'leaving', { matchingImages: [{ image: stage.image(), mirrors: [{ image: `${stage.mirror.address}/leaving/library/web:1.0`, mirroredAt }] }] });
  await stage.kubectl('delete', 'cism', 'leaving', '--wait=false');
  await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetAvailability', metadata: { name: 'all' }, spec: { imageFilter: { include: ['.+'] }, suspend: true } }));
  const images = Array.from({ length: many }, (_, at) => ({ image: `registry.invalid/app-${at}:1`, status: at % 2 === 0 ? 'Available' : 'NotFound', lastMonitor: mirroredAt, unusedSince: '0001-01-01T01:00:00Z' }));
  await status('cisa', 'all', { imageCount: many, images });
}

async function rule(name: string, spec: object, finalizers: readonly string[] = ['kuik.enix.io/mirror-cleanup']): Promise<void> {
  await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name, finalizers }, spec }));
}

async function status(kind: string, name: string, value: object): Promise<void> {
  const file = `${await mkdtemp(`${stage.dir}/status-`)}/status.json`;
  await writeFile(file, JSON.stringify({ status: value }));
  await stage.kubectl('patch', kind, name, '--subresource=status', '--type=merge', '--field-manager=kuik-webhook', '--patch-file', file);
}

const condition = (name: string, type: string): Promise<string> => stage.kubectl('get', 'cism', name, '-o', `jsonpath={.status.conditions[?(@.type=="${type}")].status} {.status.conditions[?(@.type=="${type}")].reason}`);

test('every Pod that starts while kuik does is created, and at last they are routed', async () => {
  let stop = false;
  const images: string[] = [];
  const pods = (async () => {
    for (let at = 0; !stop && at < 500; at++) {
      images.push((await createPod(stage, `night-${at}`, stage.image())).image);
      await sleep(200);
    }
  })();
  await stage.kuik.start();
  await until('a Pod to be looked at', async () => (await stage.kubectl('get', 'pods', '-n', 'default', '-o', 'jsonpath={.items[*].metadata.annotations.kuik\\.enix\\.io/reason}')) !== '');
  stop = true;
  await pods;

  expect(images.length).toBeGreaterThan(0);
  expect(images.filter((image) => image !== stage.image() && image !== stage.copyOf())).toEqual([]);
}, 120_000);

test('the rule that is good is in force beside those that are not, and keeps the copy v2 made', async () => {
  await until('the good rule', async () => (await condition('good', 'Ready')) === 'True InForce');
  await until('its copy', async () => (await recordOf(stage, stage.image()))?.name !== undefined && (await stage.kubectl('get', 'ia', (await recordOf(stage, stage.image()))!.name, '-o', 'jsonpath={.status.places[*].reference}')).includes(stage.copyOf()));
});

test.each([
  ['no-regex', 'False InvalidFilter'],
  ['no-secret', 'False CredentialMissing'],
  ['no-duration', 'False InvalidSpec'],
])('the mistake in %s stands on the rule: Ready is %s', async (name, expected) => {
  await until(`${name} to be ${expected}`, async () => (await condition(name, 'Ready')) === expected);
});

test('the rule that was being deleted goes, although its Secret is not there', async () => {
  await until('it to be gone', async () => (await stage.kubectl('get', 'cism', 'leaving', '--ignore-not-found', '-o', 'name')) === '', 120_000);
}, 240_000);

interface Told {
  readonly imageCount: number;
  readonly images: readonly { readonly status: string; readonly lastMonitor?: string }[];
  readonly counts?: { readonly listed: number };
}

test('what v2 knew of a thousand images is taken over, is never said to be less, and the list says that it is not all', async () => {
  const seen = new Set<number>();
  const look = async (): Promise<Told> => (JSON.parse(await stage.kubectl('get', 'cisa', 'all', '-o', 'json')) as { status: Told }).status;
  await until('the list to be ours', async () => {
    const { images, imageCount } = await look();
    seen.add(imageCount);
    return images.length < many;
  }, 200_000);
  expect([...seen]).toEqual([many]);

  const told = await look();
  expect(told.images).toHaveLength(500);
  expect(told.counts?.listed).toBe(500);
  expect(told.images.every(({ status: state, lastMonitor }) => state === 'NotFound' && lastMonitor !== undefined)).toBe(true); // the worst first
}, 240_000);

test('at last every rule goes when it is deleted, those with mistakes as well', async () => {
  await stage.kubectl('delete', 'cism,cisa', '--all', '--timeout=90s');

  expect(await stage.kubectl('get', 'cism,cisa', '-o', 'name')).toBe('');
}, 120_000);
