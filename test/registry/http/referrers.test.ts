/** What refers to an image, on the wire: the registry's own list, and the one that clients keep where there is none. */
import { describe, expect, test } from '@jest/globals';
import { knownImageRef } from '../../../src/domain/image-ref.js';
import { ociIndex } from '../../../src/registry/media-types.js';
import { fallbackTag } from '../../../src/registry/referrer-tags.js';
import type { ManifestRef } from '../../../src/registry/registry.js';
import type { FaultRegistry, FaultRegistryOptions } from '../../support/fault-registry.js';
import { aCall, anImage, aReferrer, pushImage, pushReferrer, single, written } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach } from '../../support/registry-client.js';

closeAfterEach();

const image = anImage('app');
const subject = image.manifest;
const toThere = aCall({ side: 'destination' });
const tag = fallbackTag(subject.digest);

async function aServer(options: FaultRegistryOptions = {}): Promise<FaultRegistry> {
  const server = await aRegistryServer(options);
  await pushImage(aClient().registry, `${server.host}/app:1`, single(image));
  server.calm();
  return server;
}

function subjectAt({ host }: FaultRegistry): ManifestRef {
  return { host, path: 'app', digest: subject.digest };
}

async function pushAll(server: FaultRegistry, names: readonly string[], artifactType?: string): Promise<readonly string[]> {
  const { registry } = aClient();
  const digests = [];
  for (const name of names) digests.push(await pushReferrer(registry, `${server.host}/app`, aReferrer(name, subject, { artifactType })));
  server.calm();
  return digests;
}

const found = async (server: FaultRegistry, client = aClient(), type?: string): Promise<readonly string[]> => (await client.registry.referrers(subjectAt(server), [], aCall(), type)).map(({ digest }) => digest);

describe('a registry that lists referrers', () => {
  test('answers with their digests, types and annotations, in one request', async () => {
    const server = await aServer();
    const { registry } = aClient();
    await pushReferrer(registry, `${server.host}/app`, aReferrer('signature', subject, { annotations: { made: 'today' } }));
    server.calm();

    expect(await registry.referrers(subjectAt(server), [], aCall())).toEqual([
      { ...aReferrer('signature', subject, { annotations: { made: 'today' } }).descriptor, annotations: { made: 'today' } },
    ]);
    expect(server.requests).toHaveLength(1);
  });

  test('has none for an image that nothing refers to, and no tag is looked for', async () => {
    const server = await aServer();
    expect(await found(server)).toEqual([]);
    expect(server.requests.map(({ path }) => path)).toEqual([`/v2/app/referrers/${subject.digest}`]);
  });

  test('lists them in pages', async () => {
    const server = await aServer({ referrersPage: 2 });
    const digests = await pushAll(server, ['one', 'two', 'three', 'four', 'five']);

    expect([...(await found(server))].sort()).toEqual([...digests].sort());
    expect(server.requests).toHaveLength(3);
  });

  test.each([
    ['applies a filter', true],
    ['ignores a filter', false],
  ])('%s: the others are left out either way', async (_sentence, filtersReferrers) => {
    const server = await aServer({ filtersReferrers });
    await pushAll(server, ['sbom'], 'application/spdx+json');
    const signatures = await pushAll(server, ['signature'], 'application/vnd.example.signature');

    expect(await found(server, aClient(), 'application/vnd.example.signature')).toEqual(signatures);
  });

  test('that continues on another host is refused', async () => {
    const server = await aServer();
    await pushAll(server, ['one']);
    server.fault({ on: { path: '/referrers/' }, does: { headers: { link: '<http://elsewhere.test/v2/app/referrers/x>; rel="next"' } } });

    await expect(found(server)).rejects.toMatchObject({ code: 'invalid' });
  });

  test('whose pages never end is given up', async () => {
    const server = await aServer();
    await pushAll(server, ['one']);
    server.fault({ on: { path: '/referrers/' }, times: 10_000, does: { headers: { link: `</v2/app/referrers/${subject.digest}>; rel="next"` } } });

    await expect(found(server)).rejects.toMatchObject({ code: 'too-large' });
  });

  test('takes what is pushed with a subject, and no list is kept beside it', async () => {
    const server = await aServer();
    await pushAll(server, ['one']);
    expect([...server.store.find('app')!.tags.keys()]).toEqual(['1']);
  });

  test.each([
    ['a server error', 500, 'unreachable'],
    ['no access', 403, 'denied'],
    ['a limit', 429, 'throttled'],
  ])('that answers with %s is not one without a list', async (_sentence, status, code) => {
    const server = await aServer();
    server.fault({ on: { path: '/referrers/' }, times: 9, does: { status } });

    await expect(found(server)).rejects.toMatchObject({ code });
    expect(server.requests.some(({ path }) => path.includes(tag))).toBe(false);
  });
});

describe('a registry that lists none', () => {
  test.each([
    ['404', { status: 404, body: '404 page not found' }],
    ['400', { status: 400 }],
    ['405', { status: 405 }],
    ['406', { status: 406 }],
    ['a page for people', { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } }],
    ['a manifest instead of an index', { status: 200, body: Buffer.from(subject.bytes).toString(), headers: { 'content-type': subject.mediaType } }],
  ])('that answers %s: the index under the fallback tag counts', async (_sentence, does) => {
    const server = await aServer({ referrers: false });
    const digests = await pushAll(server, ['one', 'two']);
    server.fault({ on: { path: '/referrers/' }, times: 9, does });

    expect(await found(server)).toEqual(digests);
  });

  test('is asked once, and then never again', async () => {
    const server = await aServer({ referrers: false });
    const client = aClient();

    await found(server, client);
    await client.registry.referrers({ ...subjectAt(server), path: 'other' }, [], aCall());

    expect(server.requests.filter(({ path }) => path.includes('/referrers/'))).toHaveLength(1);
  });

  test('nothing under the tag means that there are none, and that costs no quota', async () => {
    const server = await aServer({ referrers: false });

    expect(await found(server)).toEqual([]);
    expect(server.log().filter((line) => line.endsWith(' manifest'))).toEqual(['HEAD manifest']);
  });

  test('the list holds type and annotations of each, is an index, and what it held stays', async () => {
    const server = await aServer({ referrers: false });
    const { registry } = aClient();
    const stranger = { ...anImage('stranger').descriptor, 'org.example.unknown': [1] };
    const standing = { schemaVersion: 2, mediaType: ociIndex, manifests: [stranger], annotations: { kept: 'by somebody' } };
    const repository = server.store.open('app');
    await pushImage(registry, `${server.host}/app:stranger`, single(anImage('stranger')));
    await registry.putManifest(knownImageRef(`${server.host}/app:${tag}`), written(standing), [], toThere);

    await pushReferrer(registry, `${server.host}/app`, aReferrer('signature', subject, { annotations: { made: 'today' } }));

    const list = JSON.parse(repository.manifests.get(repository.tags.get(tag)!)!.bytes.toString()) as object;
    expect(list).toEqual({ ...standing, manifests: [stranger, { ...aReferrer('signature', subject, { annotations: { made: 'today' } }).descriptor, annotations: { made: 'today' } }] });
  });

  test('a referrer that is listed already is not written again', async () => {
    const server = await aServer({ referrers: false });
    await pushAll(server, ['one']);
    await pushAll(server, ['one']);
    const list = await found(server);

    expect(list).toHaveLength(1);
    expect(server.requests.filter(({ method, path }) => method === 'PUT' && path.includes(tag))).toEqual([]);
  });

  test('many writers in one process follow each other, and none is lost', async () => {
    const server = await aServer({ referrers: false });
    const { registry } = aClient();
    const names = Array.from({ length: 10 }, (_, index) => `referrer-${index}`);

    await Promise.all(names.map((name) => pushReferrer(registry, `${server.host}/app`, aReferrer(name, subject))));

    expect(await found(server)).toHaveLength(10);
  });

  test('a writer elsewhere that was faster is read again, and added to', async () => {
    const server = await aServer({ referrers: false });
    const [ours, theirs] = [aReferrer('ours', subject), aReferrer('theirs', subject)];
    await pushReferrer(aClient().registry, `${server.host}/app`, aReferrer('first', subject));
    const repository = server.store.find('app')!;
    const before = repository.tags.get(tag)!;
    await pushReferrer(aClient().registry, `${server.host}/app`, theirs);
    const after = repository.tags.get(tag)!;
    repository.tags.set(tag, before);
    server.calm();
    // their list arrives between our GET and our PUT, and the registry heeds If-Match
    server.fault({ on: { method: 'PUT', path: tag }, does: { status: 412 } });
    const { registry } = aClient({ observer: () => server.requests.some(({ method, path }) => method === 'GET' && path.includes(tag)) && repository.tags.get(tag) === before && repository.tags.set(tag, after) });

    await pushReferrer(registry, `${server.host}/app`, ours);

    expect(await found(server)).toEqual(expect.arrayContaining([ours.manifest.digest, theirs.manifest.digest]));
    expect(server.requests.find(({ method, path }) => method === 'PUT' && path.includes(tag))?.headers['if-match']).toBe(`"${before}"`);
  });

  test('a list that another writer overwrote is seen when it is read back, and written again', async () => {
    const server = await aServer({ referrers: false });
    const { registry } = aClient();
    await pushReferrer(registry, `${server.host}/app`, aReferrer('first', subject));
    const repository = server.store.find('app')!;
    const before = repository.tags.get(tag)!;
    let isOverwritten = false;
    const other = aClient({
      observer: (event) => {
        if (isOverwritten || event.type !== 'exchange' || event.method !== 'PUT' || repository.tags.get(tag) === before || event.route !== 'manifests') return;
        isOverwritten = true;
        repository.tags.set(tag, before);
      },
    });

    await pushReferrer(other.registry, `${server.host}/app`, aReferrer('second', subject));

    expect(isOverwritten).toBe(true);
    expect(await found(server)).toHaveLength(2);
  });

  test('something else under the tag is reported, and left alone', async () => {
    const server = await aServer({ referrers: false });
    const { registry } = aClient();
    await pushImage(registry, `${server.host}/app:${tag}`, single(anImage('stranger')));

    await expect(pushReferrer(registry, `${server.host}/app`, aReferrer('signature', subject))).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining(tag) as unknown });
    expect(server.store.find('app')!.tags.get(tag)).toBe(anImage('stranger').manifest.digest);
  });

  test('a manifest without a subject needs no list', async () => {
    const server = await aServer({ referrers: false });
    const { registry } = aClient();
    const manifest = await registry.manifest({ host: server.host, path: 'app', digest: subject.digest }, [], aCall());
    server.calm();

    await registry.linkReferrer({ host: server.host, path: 'app' }, manifest, [], toThere);

    expect(server.requests).toEqual([]);
  });
});
