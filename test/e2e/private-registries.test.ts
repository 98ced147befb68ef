import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { ask } from '../../tools/health.js';
import { scratchFolder } from '../../tools/servers.js';
import { push, until, untilMirrored } from '../support/stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('private'), configuration: '  pullSecrets:\n    renewEvery: 1s\nmonitoring:\n  registries:\n    default:\n      interval: 10s\n      maxPerInterval: 50\n', passwords: { source: { reader: 'source-password' }, mirror: { pusher: 'mirror-password' } } });
  await stage.crane('auth', 'login', stage.sourceAddress, '-u', 'reader', '-p', 'source-password');
  await stage.crane('auth', 'login', stage.mirror.address, '-u', 'pusher', '-p', 'mirror-password');
  await dockerSecret('source-pull', 'default', stage.sourceAddress, 'reader', 'source-password');
});
afterAll(() => stage?.close());

/** The quickstart, with a Secret. */
function rule(): string {
  const mirror = { registry: stage.mirror.address, path: '/kept', platforms: [{ architecture: 'amd64' }, { architecture: 'arm64' }], credentialSecret: { name: 'push', namespace: 'kuik-system' } };
  return JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'private' }, spec: { filter: { include: [{ image: '.+' }] }, mirrors: [mirror] } });
}

test('a rule whose Secret is missing says so, and is ready soon after it appears', async () => {
  await stage.apply(rule());
  await until('the rule to miss its Secret', async () => (await ready()) === 'False CredentialMissing');

  await dockerSecret('push', 'kuik-system', stage.mirror.address, 'pusher', 'mirror-password');

  await until('the rule to be ready', async () => (await ready()) === 'True InForce');
});

test('an image is copied with the Secrets of the Pod that uses it and of the rule that wants it', async () => {
  await push(stage, 'web:1.0');
  expect(await createPod('first', ['source-pull'])).toMatchObject({ image: stage.image() });

  await untilMirrored(stage, stage.image());
});

test('the Pod that is sent to the mirror gets a copy of its Secret in its own namespace', async () => {
  await stage.source.stop();
  await new Promise((resolve) => setTimeout(resolve, 1_500)); // facts live one second here

  const { image, pullSecrets } = await createPod('second', ['source-pull']);

  expect(image).toBe(stage.copyOf());
  expect(pullSecrets).toEqual(['source-pull', expect.stringMatching(/^kuik-push-[0-9a-f]{16}$/)]);
  const copy = JSON.parse(await stage.kubectl('get', 'secret', pullSecrets[1] ?? '', '-o', 'json')) as { data: Record<string, string>; metadata: { labels: Record<string, string>; ownerReferences: object[] } };
  expect(Buffer.from(copy.data['.dockerconfigjson'] ?? '', 'base64').toString()).toContain('mirror-password');
  expect(copy.metadata.labels).toMatchObject({ 'kuik.enix.io/owner-kind': 'ClusterImageSetMirror', 'kuik.enix.io/owner-name': 'private' });
  expect(copy.metadata.ownerReferences).toMatchObject([{ kind: 'ClusterImageSetMirror', name: 'private' }]);
});

test('a rotated Secret reaches that copy, and a deleted one is made again while the Pod names it', async () => {
  const copyOf = async (): Promise<{ name: string; text: string }> => {
    const { items } = JSON.parse(await stage.kubectl('get', 'secrets', '-l', 'kuik.enix.io/owner-name=private', '-o', 'json')) as { items: { metadata: { name: string }; data: Record<string, string> }[] };
    return { name: items[0]?.metadata.name ?? '', text: Buffer.from(items[0]?.data['.dockerconfigjson'] ?? '', 'base64').toString() };
  };
  await stage.kubectl('delete', 'secret', 'push', '-n', 'kuik-system');
  await dockerSecret('push', 'kuik-system', stage.mirror.address, 'pusher', 'mirror-password-rotated');
  await until('the copy to follow', async () => (await copyOf()).text.includes('mirror-password-rotated'));

  await stage.kubectl('delete', 'secret', (await copyOf()).name);

  await until('the copy to be made again', async () => (await copyOf()).text.includes('mirror-password-rotated'));
});

test('a Secret the mirror does not accept is told on the rule; when it is put right, what failed is tried at once', async () => {
  const condition = (type: string): Promise<string> => stage.kubectl('get', 'cism', 'private', '-o', `jsonpath={range .status.conditions[?(@.type=="${type}")]}{.status} {.reason}{end}`);
  await stage.source.start();
  await push(stage, 'web:2.0');
  await createPod('third', ['source-pull'], 'web:2.0');
  await until('the rule to say so', async () => (await condition('CredentialsValid')) === 'False Unauthorized');
  expect(await condition('DestinationReachable')).toBe('False Unauthorized');
  expect(await ready()).toBe('True InForce');

  await stage.kubectl('delete', 'secret', 'push', '-n', 'kuik-system');
  await dockerSecret('push', 'kuik-system', stage.mirror.address, 'pusher', 'mirror-password');

  await untilMirrored(stage, stage.image('web:2.0')); // the next slow retry would be hours away
  await until('the rule to be well', async () => (await condition('CredentialsValid')) === 'True PushCredentialShared');
}, 120_000);

test('an image is checked with the Secret of a Pod that uses it; when nobody can read one, that is said', async () => {
  const checked = (): Promise<string> => stage.kubectl('get', 'cisa', 'critical', '-o', `jsonpath={range .status.images[?(@.image=="${stage.image()}")]}{.status}: {.lastError}.{end}`);
  await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetAvailability', metadata: { name: 'critical' }, spec: { filter: { include: [{ image: `${stage.sourceAddress}/.+` }] } } }));
  await until('it to be available', async () => (await checked()) === 'Available: .');

  await stage.kubectl('delete', 'secret', 'source-pull');
  await until('the Secret to be missed', async () => (await checked()) === 'UnavailableSecret: secret default/source-pull not found.');

  await dockerSecret('source-pull', 'default', stage.sourceAddress, 'reader', 'another password');
  await until('the password to be refused', async () => (await checked()).startsWith('InvalidAuth: '));

  await stage.kubectl('delete', 'secret', 'source-pull');
  await dockerSecret('source-pull', 'default', stage.sourceAddress, 'reader', 'source-password');
  await until('it to be available again', async () => (await checked()) === 'Available: .');
});

test('what happened is told on the record and on the rule', async () => {
  const events = await stage.kubectl('get', 'events', '-o', 'jsonpath={range .items[*]}{.action} {.reason} {.involvedObject.kind}{"\\n"}{end}');

  expect(events.split('\n')).toEqual(expect.arrayContaining(['ReconcileSkipped CredentialMissing ClusterImageSetMirror', 'Mirror Mirrored ImageAvailability', 'Mirror Mirrored ClusterImageSetMirror']));
});

/** As they are written, and as registries and Secrets take them. */
const canaries = ['source-password', 'mirror-password', 'another password', ...['reader:source-password', 'pusher:mirror-password'].map((text) => Buffer.from(text).toString('base64'))];
const foundIn = (text: string): string[] => canaries.filter((canary) => text.includes(canary));

test('no password stands in a record, a status, an annotation, a metric or the log', async () => {
  const everything = [await stage.kubectl('get', 'ia,cism,cisa,pods,events,configmaps,leases', '-A', '-o', 'yaml'), await metricsOf(stage), await logOf(stage)];

  expect(everything.flatMap(foundIn)).toEqual([]);
  expect(foundIn(await stage.kubectl('get', 'secrets', '-A', '-o', 'jsonpath={.items[*].data}').then(decoded))).toContain('mirror-password'); // whoever looks finds it
});

test('no password stands in the database of Temporal', async () => {
  const folder = join(stage.dir, 'temporal');
  const bytes = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'latin1')));

  expect(bytes.flatMap(foundIn)).toEqual([]);
  expect(bytes.some((text) => text.includes(stage.copyOf()))).toBe(true); // the histories are there, and readable
});

async function ready(): Promise<string> {
  return stage.kubectl('get', 'cism', 'private', '-o', 'jsonpath={range .status.conditions[?(@.type=="Ready")]}{.status} {.reason}{end}');
}

async function dockerSecret(name: string, namespace: string, server: string, user: string, password: string): Promise<void> {
  await stage.kubectl('create', 'secret', 'docker-registry', name, '-n', namespace, `--docker-server=${server}`, `--docker-username=${user}`, `--docker-password=${password}`);
}

async function createPod(name: string, secrets: readonly string[], image = 'web:1.0'): Promise<{ image: string; pullSecrets: string[] }> {
  await stage.apply(
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: { imagePullSecrets: secrets.map((secret) => ({ name: secret })), containers: [{ name: 'web', image: stage.image(image) }] } }),
  );
  const { spec } = JSON.parse(await stage.kubectl('get', 'pod', name, '-o', 'json')) as { spec: { containers: { image: string }[]; imagePullSecrets: { name: string }[] } };
  return { image: spec.containers[0]?.image ?? '', pullSecrets: spec.imagePullSecrets.map((secret) => secret.name) };
}

async function metricsOf({ kuik }: Stage): Promise<string> {
  return (await ask(kuik.running.metricsUrl)).body;
}

function decoded(secrets: string): string {
  return [...secrets.matchAll(/"\.dockerconfigjson":"([^"]+)"/g)].map(([, data = '']) => Buffer.from(data, 'base64').toString()).join('\n');
}

async function logOf({ kuik }: Stage): Promise<string> {
  return readFile(kuik.running.logFile, 'utf8');
}
