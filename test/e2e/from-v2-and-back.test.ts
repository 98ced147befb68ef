import { mkdtemp, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { secretCopyName } from '../../src/domain/secret-copy.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { contentOf, createPod, push, until } from '../support/stage.js';

const mirroredAt = '2026-10-01T10:00:00Z';
const source = { namespace: 'kuik-system', name: 'mirror-login' };
const finalizers = ['kuik.enix.io/mirror-cleanup', 'kuik.enix.io/secret-cleanup'];

/*
 * What v2.3 leaves behind when it is taken away: rules of all five kinds with statuses and finalizers, a copy of a pull
 * Secret, a Pod that it rewrote, and copies at the mirrors. Kept by `kuik-webhook`, its field manager.
 */
let stage: Stage;
let copyOfSecret = '';
let specs: ReadonlyMap<string, unknown>;
let content: ReadonlyMap<string, string>;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('from-v2-and-back') });
  await stage.kuik.stop();
  for (const name of ['web:1.0', 'old:1.0', 'team:1.0']) await push(stage, name);
  for (const name of ['web:1.0', 'old:1.0']) await stage.crane('copy', stage.image(name), stage.copyOf(name));
  await stage.crane('copy', stage.image('team:1.0'), teamCopy());
  await stage.kubectl('create', 'namespace', 'shop');
  await leaveRules();
  await leaveSecrets();
  await leavePods();
  specs = await specsOf();
  content = await contentOf(stage.mirror);
  await stage.kuik.start();
}, 180_000);
afterAll(() => stage?.close());

const rules = [
  { type: 'cism', kind: 'ClusterImageSetMirror', name: 'everything' },
  { type: 'ism', kind: 'ImageSetMirror', name: 'team', namespace: 'shop' },
  { type: 'cris', kind: 'ClusterReplicatedImageSet', name: 'same' },
  { type: 'ris', kind: 'ReplicatedImageSet', name: 'same', namespace: 'shop' },
  { type: 'cisa', kind: 'ClusterImageSetAvailability', name: 'watched' },
] as const;
type Left = (typeof rules)[number];

function teamCopy(): string {
  return `${stage.mirror.address}/team/library/team:1.0`;
}

async function leaveRules(): Promise<void> {
  const include = [`${stage.sourceAddress}/.+`];
  // with what v2 adds as it writes an object back: an empty filter, and 0s where no retention was written
  const mirror = (path: string, more: object = {}) => ({ filter: {}, cleanup: { enabled: true, retention: '8760h' }, imageFilter: { include }, mirrors: [{ registry: stage.mirror.address, path, cleanup: { enabled: true, retention: '0s' }, ...more }] });
  const upstreams = [stage.sourceAddress, stage.mirror.address].map((registry) => ({ registry, path: 'replica', imageFilter: { include: ['.+'] } }));
  const specOf: Readonly<Record<Left['type'], object>> = {
    cism: mirror('/kept', { credentialSecret: source }),
    ism: mirror('/team'),
    cris: { filter: {}, upstreams: upstreams.map((upstream) => ({ ...upstream, credentialSecret: source })) },
    ris: { upstreams },
    cisa: { imageFilter: { include: ['.+'] } },
  };
  const listed = (name: string, copy: string, rest: object = {}) => ({ image: stage.image(name), ...rest, mirrors: [{ image: copy, mirroredAt }] });
  const statusOf: Readonly<Partial<Record<Left['type'], object>>> = {
    cism: { matchingImages: [listed('web:1.0', stage.copyOf()), listed('old:1.0', stage.copyOf('old:1.0'), { unusedSince: '2026-11-01T00:00:00Z' })] },
    ism: { matchingImages: [listed('team:1.0', teamCopy())] },
    cisa: { imageCount: 2, images: [{ image: stage.image(), status: 'Available', lastMonitor: mirroredAt, original: true }, { image: 'registry.invalid/lost:1', status: 'NotFound', lastError: 'not found', lastMonitor: mirroredAt }] },
  };
  for (const { type, kind, name, ...rest } of rules) {
    const metadata = { name, ...rest, finalizers: type === 'cisa' ? [] : type.endsWith('ism') ? finalizers : finalizers.slice(1) };
    await stage.kubectl('create', '--field-manager=kuik-webhook', '-f', await file({ apiVersion: 'kuik.enix.io/v1alpha1', kind, metadata, spec: specOf[type] }));
    const status = statusOf[type];
    if (status !== undefined) await stage.kubectl('patch', ...at({ type, name, ...rest }), '--subresource=status', '--type=merge', '--field-manager=kuik-webhook', '-p', JSON.stringify({ status }));
  }
}

async function leaveSecrets(): Promise<void> {
  const auths = { [stage.mirror.address]: { username: 'kuik', password: 'nobody asks', auth: Buffer.from('kuik:nobody asks').toString('base64') } };
  const data = { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') };
  const secret = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/dockerconfigjson', data };
  await stage.apply(JSON.stringify({ ...secret, metadata: source }));
  const uid = await stage.kubectl('get', 'cism', 'everything', '-o', 'jsonpath={.metadata.uid}');
  copyOfSecret = secretCopyName(source, uid);
  // v2 always wrote the namespaced kind
  const labels = { version: 'v1alpha1', group: 'kuik.enix.io', kind: 'ImageSetMirror', uid, name: 'everything' };
  await stage.apply(JSON.stringify({ ...secret, metadata: { namespace: 'default', name: copyOfSecret, labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [`kuik.enix.io/owner-${key}`, value])) } }));
}

async function leavePods(): Promise<void> {
  const original = JSON.stringify({ web: stage.image(), 'init:setup': stage.image() });
  const rewritten = { containers: [{ name: 'web', image: stage.copyOf() }], initContainers: [{ name: 'setup', image: stage.copyOf() }], imagePullSecrets: [{ name: copyOfSecret }] };
  await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'rewritten', namespace: 'default', annotations: { 'kuik.enix.io/original-images': original } }, spec: rewritten }));
  await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'team', namespace: 'shop' }, spec: { containers: [{ name: 'web', image: stage.image('team:1.0') }] } }));
}

test('every rule of v2 is in force, and not one of its specs was touched', async () => {
  for (const rule of rules) await until(`${rule.kind} ${rule.name} to be ready`, async () => (await read(rule, '{.status.conditions[?(@.type=="Ready")].status}')) === 'True');

  expect(await specsOf()).toEqual(specs);
});

test('no copy is lost or uploaded again, and each has its record', async () => {
  await until('three records with their copies', async () => {
    const { items } = await json<{ items: { spec: { image: string }; status?: { places?: { reference: string; digest?: string }[] } }[] }>('get', 'ia');
    const known = items.flatMap(({ status }) => status?.places ?? []).filter(({ digest }) => digest !== undefined).map(({ reference }) => reference);
    return [stage.copyOf(), stage.copyOf('old:1.0'), teamCopy()].every((copy) => known.includes(copy));
  });

  const now = await contentOf(stage.mirror);
  expect([...content].filter(([path, state]) => now.get(path) !== state)).toEqual([]);
});

test('an unused copy is kept as long as the rule says, although v2 wrote 0s into its mirror', async () => {
  await until('its end to be announced', async () => (await stage.kubectl('get', 'ia', '-o', `jsonpath={.items[?(@.spec.image=="${stage.image('old:1.0')}")].status.expiresAt}`)).startsWith('2027-11-01'));
});

test('the Pod that v2 rewrote keeps what it needs to start again: its image, and its copy of the pull Secret', async () => {
  const pod = await json<{ spec: object; metadata: { annotations: object } }>('get', 'pod', 'rewritten', '-n', 'default');

  expect(pod.spec).toMatchObject({ containers: [{ image: stage.copyOf() }], imagePullSecrets: [{ name: copyOfSecret }] });
  expect(await stage.kubectl('get', 'secret', copyOfSecret, '-n', 'default', '-o', 'jsonpath={.metadata.labels.kuik\\.enix\\.io/owner-name}')).toBe('everything');
});

test('given back: the statuses say in the fields of v2 what v2 has to know', async () => {
  await until('the lists of the statuses', async () => (await read(rules[0], '{.status.matchingImages[*].image}')).includes('web:1.0') && (await read(rules[4], '{.status.images[*].image}')).includes('web:1.0'));
  await stage.kuik.stop();

  const { status: mirrors } = await json<{ status: { matchingImages: { image: string; unusedSince?: string; mirrors: { image: string; mirroredAt?: string }[] }[] } }>('get', 'cism', 'everything');
  const told = mirrors.matchingImages.map(({ image, unusedSince, mirrors: [copy] }) => [image, unusedSince !== undefined, copy?.image, copy?.mirroredAt !== undefined]);
  expect(told).toEqual(expect.arrayContaining([[stage.image(), false, stage.copyOf(), true], [stage.image('old:1.0'), true, stage.copyOf('old:1.0'), true]]));
  const { status: availability } = await json<{ status: { imageCount: number; images: { image: string; status: string; original?: boolean }[] } }>('get', 'cisa', 'watched');
  expect(availability.images).toEqual(expect.arrayContaining([expect.objectContaining({ image: stage.image(), status: expect.any(String) })]));
  expect(availability.imageCount).toBeGreaterThanOrEqual(availability.images.length);
});

test('given back: v2 writes statuses and finalizers as it always did, and nobody objects', async () => {
  await push(stage, 'meanwhile:1.0');
  await stage.crane('copy', stage.image('meanwhile:1.0'), stage.copyOf('meanwhile:1.0'));
  const unused = { image: stage.image('meanwhile:1.0'), unusedSince: '2026-11-10T00:00:00Z', mirrors: [{ image: stage.copyOf('meanwhile:1.0'), mirroredAt }] };
  const matchingImages = [{ image: stage.image(), mirrors: [{ image: stage.copyOf(), mirroredAt }] }, unused];
  await stage.kubectl('patch', 'cism', 'everything', '--subresource=status', '--type=merge', '--field-manager=kuik-webhook', '-p', JSON.stringify({ status: { matchingImages } }));
  await stage.kubectl('patch', 'cism', 'everything', '--type=merge', '--field-manager=kuik-webhook', '-p', JSON.stringify({ metadata: { finalizers } }));

  expect(await read(rules[0], '{.status.matchingImages[*].mirrors[*].mirroredAt}')).toBe(`${mirroredAt} ${mirroredAt}`);
});

test('taken over once more, a copy that v2 made in the meantime is known, used or not', async () => {
  await stage.kuik.start();

  await until('its record', async () => (await stage.kubectl('get', 'ia', '-o', `jsonpath={.items[?(@.spec.image=="${stage.image('meanwhile:1.0')}")].status.expiresAt}`)).startsWith('2027-11-10'));
});

test('every rule goes when it is deleted: no finalizer is stuck', async () => {
  await createPod(stage, 'after', stage.image());

  for (const rule of rules) await stage.kubectl('delete', ...at(rule), '--timeout=90s');

  expect(await Promise.all(rules.map(({ type }) => stage.kubectl('get', type, '-A', '-o', 'name')))).toEqual(rules.map(() => ''));
  const now = await contentOf(stage.mirror);
  expect([...content].filter(([path, state]) => now.get(path) !== state)).toEqual([]);
}, 300_000);

async function specsOf(): Promise<ReadonlyMap<string, unknown>> {
  return new Map(await Promise.all(rules.map(async (rule) => [rule.kind, (await json<{ spec: unknown }>('get', ...at(rule))).spec] as const)));
}

function at({ type, name, ...rest }: Pick<Left, 'type' | 'name'> & { readonly namespace?: string }): string[] {
  return [type, name, ...(rest.namespace === undefined ? [] : ['-n', rest.namespace])];
}

function read(rule: Left, path: string): Promise<string> {
  return stage.kubectl('get', ...at(rule), '-o', `jsonpath=${path}`);
}

async function json<T>(...args: string[]): Promise<T> {
  return JSON.parse(await stage.kubectl(...args, '-o', 'json')) as T;
}

async function file(object: object): Promise<string> {
  const path = `${await mkdtemp(`${stage.dir}/left-`)}/object.json`;
  await writeFile(path, JSON.stringify(object));
  return path;
}
