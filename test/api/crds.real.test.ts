import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { parse } from 'yaml';
import { reportMirror } from '../../src/api/report-mirror.js';
import { translateRule } from '../../src/api/translate.js';
import { kinds } from '../../src/api/v1alpha1/kinds.js';
import type { Digest } from '../../src/domain/digest.js';
import type { ImageName } from '../../src/domain/image-ref.js';
import type { MirrorRule } from '../../src/domain/rule.js';
import { startApiServer, toolOutput, type ApiServer } from '../../tools/servers.js';
import { validationCases } from './validation.cases.js';
import { v2Resources, v2Statuses } from './worked-examples.js';

const crds = join(import.meta.dirname, '..', '..', 'charts', 'kube-image-keeper', 'crds');

let server: ApiServer;
let agent: Agent;

beforeAll(async () => {
  server = await startApiServer();
  agent = new Agent({ connect: { ca: readFileSync(server.caFile, 'utf8') } });
  // client-side apply keeps a copy in an annotation, so this also proves that each definition is small enough
  await kubectl('apply', '-f', crds);
  await kubectl('wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all');
  await kubectl('api-resources'); // kubectl remembers which kinds there are, and explain does not ask again
}, 300_000);

afterAll(async () => {
  await agent?.close();
  await server?.kill();
});

function kubectl(...args: string[]): Promise<string> {
  return toolOutput('kubectl', [`--kubeconfig=${server.kubeconfig}`, ...args]);
}

interface Answer {
  readonly status: number;
  readonly body: { readonly message?: string; readonly spec?: unknown; readonly status?: Record<string, unknown> } & Record<string, unknown>;
}

/** One call with JSON, far faster than kubectl. */
async function call(method: 'GET' | 'POST' | 'PATCH', path: string, body?: object): Promise<Answer> {
  const patchType = path.includes('fieldManager=') ? 'application/apply-patch+yaml' : 'application/merge-patch+json';
  const contentType = method === 'PATCH' ? patchType : 'application/json';
  const answer = await request(`${server.url}${path}`, {
    method,
    dispatcher: agent,
    headers: { authorization: `Bearer ${server.token}`, 'content-type': contentType },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { status: answer.statusCode, body: (await answer.body.json()) as Answer['body'] };
}

function collection(kindName: string): string {
  const kind = kinds.find(({ kind }) => kind === kindName);
  if (kind === undefined) throw new Error(`no such kind: ${kindName}`);
  return `/apis/kuik.enix.io/v1alpha1/${kind.scope === 'Namespaced' ? 'namespaces/default/' : ''}${kind.plural}`;
}

describe('the API server accepts and refuses', () => {
  test.each(validationCases.map((validation, index) => ({ ...validation, index })))('$kind: $sentence', async ({ kind, spec, refusal, index }) => {
    const object = { apiVersion: 'kuik.enix.io/v1alpha1', kind, metadata: { name: `case-${index}` }, spec };

    const answer = await call('POST', `${collection(kind)}?dryRun=All`, object);

    if (refusal === undefined) expect(answer).toMatchObject({ status: 201 });
    else expect(answer).toMatchObject({ status: 422, body: { message: expect.stringContaining(refusal) } });
  });

  test('the image of a record cannot be changed', async () => {
    const path = collection('ImageAvailability');
    await call('POST', path, { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ImageAvailability', metadata: { name: 'fixed' }, spec: { image: 'docker.io/library/a:1' } });

    const changed = await call('PATCH', `${path}/fixed`, { spec: { image: 'docker.io/library/a:2' } });

    expect(changed).toMatchObject({ status: 422, body: { message: expect.stringContaining('cannot be changed') } });
  });
});

describe('resources of v2', () => {
  test.each(v2Resources)('%s is accepted and read back as it was written', async (_sentence, yaml) => {
    const object = parse(yaml) as { kind: string; metadata: { name: string }; spec: unknown };

    const created = await call('POST', collection(object.kind), object);
    const read = await call('GET', `${collection(object.kind)}/${object.metadata.name}`);

    expect(created).toMatchObject({ status: 201 });
    expect(read.body.spec).toEqual(object.spec);
  });

  test('nothing is ready before the first look: the status starts with observedGeneration -1', async () => {
    const read = await call('GET', `${collection('ClusterImageSetMirror')}/near-and-far`);

    expect(read.body.status).toEqual({ observedGeneration: -1 });
  });

  test.each(Object.entries(v2Statuses))('the status v2 wrote on %s is accepted and kept', async (path, status) => {
    const url = `/apis/kuik.enix.io/v1alpha1/${path}/status`;

    const written = await call('PATCH', url, { status });

    expect(written).toMatchObject({ status: 200 });
    expect(written.body.status).toMatchObject(status);
  });

  test('the spec under a status of v2 can still be changed', async () => {
    const changed = await call('PATCH', `${collection('ClusterImageSetMirror')}/global-mirror`, { spec: { priority: -2 } });

    expect(changed).toMatchObject({ status: 200 });
  });
});

describe('the largest statuses we write', () => {
  const shortName = (index: number) => `docker.io/library/app:${index}`;
  const longName = (index: number) => `registry-${index}.example.com/${'team/'.repeat(30)}app:${index}`;

  test.each([
    ['many short names', 2000, 1, shortName],
    ['many copies of each', 300, 8, shortName],
    ['long names', 2000, 2, longName],
  ])('with %s stay below 256 KiB, managed fields included', async (_sentence, count, copies, nameOf) => {
    const digest = `sha256:${'a'.repeat(64)}` as Digest;
    const place = (name: string, copy: number) => ({ reference: `mirror-${copy}.example.com/kept/${name.replace(/^[^/]+\//, '')}` as ImageName, digest, mirroredAt: '2026-11-20T10:50:14Z' });
    const images = Array.from({ length: count }, (_, index) => ({ image: nameOf(index) as ImageName, unusedSince: '2026-11-20T10:50:14Z', places: Array.from({ length: copies }, (_, copy) => place(nameOf(index), copy)) }));
    const rule = translateRule({ kind: 'ClusterImageSetMirror', name: 'large', uid: 'uid', generation: 1, spec: {} }, { installNamespace: 'default' }) as MirrorRule;
    const status = reportMirror({ rule, images, collisions: [], temporalConnected: true, isConnected: false, secrets: [], silent: [], passDone: true, previous: undefined, now: 0 });
    const identity = { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'large' } };
    await call('POST', collection('ClusterImageSetMirror'), { ...identity, spec: {} });

    const applied = await call('PATCH', `${collection('ClusterImageSetMirror')}/large/status?fieldManager=kuik-report&force=true`, { ...identity, status });

    const size = JSON.stringify(applied.body).length;
    expect(applied.status).toBe(200);
    expect(applied.body.status).toEqual(status);
    expect(size).toBeLessThan(256 * 1024);
    expect(size).toBeGreaterThan(128 * 1024); // the budget is used, not wasted
  });
});

describe('kubectl explain', () => {
  test('every field of every kind has a text', async () => {
    const { body } = await call('GET', '/openapi/v3/apis/kuik.enix.io/v1alpha1');
    const schemas = (body as { components: { schemas: Record<string, Node> } }).components.schemas;

    const found = kinds.map(({ kind }) => Object.entries(schemas).find(([name]) => name.endsWith(`.${kind}`))?.[1]);

    expect(found.map((schema) => schema?.description !== undefined)).toEqual(kinds.map(() => true));
    expect(kinds.flatMap(({ kind }, index) => silentFields(found[index]?.properties ?? {}, kind))).toEqual([]);
  });

  test('prints meaning, unit, default and example', async () => {
    const text = (await kubectl('explain', 'cism.spec.mirrors.cleanup.retention')).replace(/\s+/g, ' ');

    expect(text).toContain('How long an unused copy is kept.');
    expect(text).toContain('168h is a week');
    expect(text).toContain('Default: what the rule says.');
    expect(text).toContain('Example: 168h');
  });
});

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

/** Fields without a text; metadata is described by Kubernetes itself. */
function silentFields(properties: Readonly<Record<string, Node>>, path: string): string[] {
  return Object.entries(properties).flatMap(([name, node]) => {
    if (path.indexOf('.') === -1 && name === 'metadata') return [];
    const below = { ...node.properties, ...node.items?.properties };
    return [...(node.description ? [] : [`${path}.${name}`]), ...silentFields(below, `${path}.${name}`)];
  });
}

describe('kubectl get', () => {
  test.each(kinds)('$kind answers to its short name', async ({ plural, shortName }) => {
    expect(await kubectl('get', shortName, '-A', '-o', 'name')).toEqual(await kubectl('get', plural, '-A', '-o', 'name'));
  });

  test('the five kinds of users share the category kuik, and nothing joins all', async () => {
    const kuik = await kubectl('api-resources', '--categories=kuik', '-o', 'name');
    const all = await kubectl('api-resources', '--categories=all', '-o', 'name');

    expect(kuik.split('\n').sort()).toEqual(kinds.filter(({ kind }) => kind !== 'ImageAvailability').map(({ plural }) => `${plural}.kuik.enix.io`).sort());
    expect(all).not.toContain('kuik.enix.io');
  });

  test.each([
    ['cism', 'NAME READY IMAGES MIRRORED FAILED UNUSED AGE', 'REASON BYTES LAST-SYNC'],
    ['ism', 'NAMESPACE NAME READY IMAGES MIRRORED FAILED UNUSED AGE', 'REASON BYTES LAST-SYNC'],
    ['cris', 'NAME READY UPSTREAMS PODS REROUTED AGE', 'REASON PRIORITY'],
    ['ris', 'NAMESPACE NAME READY UPSTREAMS PODS REROUTED AGE', 'REASON PRIORITY'],
    ['cisa', 'NAME READY IMAGES AVAILABLE UNAVAILABLE CYCLE AGE', 'REASON OLDEST-CHECK'],
    ['ia', 'NAME IMAGE AVAILABLE MIRRORS PODS EXPIRES AGE', 'DIGEST REASON CHECKED PLATFORMS MISSING'],
  ])('%s has the columns %s, and with -o wide also %s', async (shortName, usual, wide) => {
    const columns = async (...args: string[]): Promise<string> => (await kubectl('get', shortName, '-A', ...args)).split('\n')[0]!.trim().replace(/ +/g, ' ');

    expect(await columns()).toBe(usual);
    expect(await columns('-o', 'wide')).toBe(`${usual} ${wide}`);
  });

  test('the columns of a record show what is in its status', async () => {
    const path = collection('ImageAvailability');
    const digest = `sha256:${'a'.repeat(64)}`;
    const time = '2026-11-20T10:50:14Z';
    await call('POST', path, { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ImageAvailability', metadata: { name: 'shown' }, spec: { image: 'docker.io/library/nginx:1.27' } });
    const status = {
      pods: 3,
      mirrors: '1/2',
      platforms: 'linux/amd64,linux/arm64',
      missing: 'linux/s390x',
      expiresAt: time,
      conditions: [{ type: 'Available', status: 'True', reason: 'Reachable', message: '', lastTransitionTime: time }],
      places: [
        { reference: 'registry.example.com/mirror/library/nginx:1.27', role: 'mirror', digest: `sha256:${'b'.repeat(64)}` },
        { reference: 'docker.io/library/nginx:1.27', role: 'origin', digest, checkedAt: '2020-01-01T00:00:00Z' },
      ],
    };
    await call('PATCH', `${path}/shown/status`, { status });

    const row = (await kubectl('get', 'ia', 'shown', '-o', 'wide', '--no-headers')).split(/ {2,}/);

    expect(row).toEqual(['shown', 'docker.io/library/nginx:1.27', 'True', '1/2', '3', time, expect.stringMatching(/^\d+s$/), digest, 'Reachable', expect.stringMatching(/^\d+y/), 'linux/amd64,linux/arm64', 'linux/s390x']);
  });
});
