import { describe, expect, test } from '@jest/globals';
import { heldBytes, uploadLocation, withDigest } from '../../../src/registry/http/upload-location.js';
import { absentRepository } from '../../../src/registry/http/write-refusal.js';
import { aBlob, aCall, piecesOf } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt } from '../../support/registry-client.js';

closeAfterEach();

describe('where an upload goes', () => {
  test.each([
    ['a relative location is of the registry', 'https://r.example.com/v2/app/blobs/uploads/', '/v2/app/blobs/uploads/7?_state=a%2Fb%3D', 'https://r.example.com/v2/app/blobs/uploads/7?_state=a%2Fb%3D'],
    ['an absolute one is taken as it is', 'https://r.example.com/v2/', 'https://r.example.com/upload/7', 'https://r.example.com/upload/7'],
    ['another host is another host', 'https://r.example.com/v2/', 'https://upload.example.com/7?sig=x', 'https://upload.example.com/7?sig=x'],
    ['a query survives byte for byte', 'https://r.example.com/v2/', '/7?b=2&a=%2b%2B+1&a=', 'https://r.example.com/7?b=2&a=%2b%2B+1&a='],
    ['http on the host of an https registry is raised', 'https://r.example.com/v2/', 'http://r.example.com/7', 'https://r.example.com/7'],
    ['its port is put back then', 'https://r.example.com:8443/v2/', 'http://r.example.com/7', 'https://r.example.com:8443/7'],
    ['http on another host is not raised', 'https://r.example.com/v2/', 'http://upload.example.com/7', 'http://upload.example.com/7'],
    ['a lost :443 of an https registry was never part of the URL', 'https://r.example.com:443/v2/', 'https://r.example.com/7', 'https://r.example.com/7'],
    ['a lost :443 of a plain registry is put back', 'http://r.example.com:443/v2/', 'http://r.example.com/7', 'http://r.example.com:443/7'],
    ['another port that is missing is not guessed', 'http://r.example.com:5000/v2/', 'http://r.example.com/7', 'http://r.example.com/7'],
  ])('%s', (_sentence, url, location, expected) => {
    expect(uploadLocation({ url: new URL(url), headers: { location } })?.href).toBe(expected);
  });

  test.each([undefined, 'http://', 'https://:x/'])('%s is no location', (location) => {
    expect(uploadLocation({ url: new URL('https://r.example.com/v2/'), headers: { location } })).toBeUndefined();
  });

  test.each([
    ['with a query', 'https://r.example.com/7?_state=a%3D', '?_state=a%3D&digest='],
    ['without one', 'https://r.example.com/7', '?digest='],
  ])('the digest is added to a location %s', (_sentence, location, start) => {
    const { digest } = aBlob('x').descriptor;
    expect(withDigest(new URL(location), digest).search).toBe(`${start}${encodeURIComponent(digest)}`);
  });

  test.each([
    ['0-99', 100],
    ['bytes=0-99', 100],
    ['0-0', 1],
    ['1-99', undefined],
    ['0-', undefined],
    [undefined, undefined],
  ])('a range of %s means %s bytes', (range, held) => {
    expect(heldBytes({ range })).toBe(held);
  });
});

describe('an upload on the wire', () => {
  const blob = aBlob('located', 3_000_000);
  const call = aCall({ side: 'destination' });
  const put = (server: Awaited<ReturnType<typeof aRegistryServer>>): Promise<string> => aClient().registry.putBlob(refAt(server, 'app'), blob.descriptor, piecesOf(blob.bytes), [], call);

  test('a location over another scheme that cannot be reached so is refused by the guard', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'POST' }, times: 9, does: { headers: { location: 'http://169.254.169.254/upload/1' } } });

    await expect(put(server)).rejects.toMatchObject({ code: 'invalid', side: 'destination' });
    expect(server.log().filter((line) => line === 'POST upload')).toHaveLength(1);
  });

  test('a stale location, as some proxies keep it, begins the blob again', async () => {
    const server = await aRegistryServer();
    server.fault({ on: { route: 'upload', method: 'PUT' }, does: { status: 404, body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}' } });

    expect(await put(server)).toBe('uploaded');
    expect(server.log().filter((line) => line === 'POST upload')).toHaveLength(2);
  });
});

describe('a repository that has to be made', () => {
  test.each([
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'mirror/app', 'aws ecr create-repository --repository-name mirror/app'],
    ['europe-docker.pkg.dev', 'project/mirror/library/nginx', 'create the Artifact Registry repository project/mirror'],
    ['registry.example.com', 'mirror/app', 'create it there'],
  ])('on %s names the next step', (host, path, step) => {
    const failure = absentRepository({ host, path }, { host, what: 'blob' }, aCall({ side: 'destination' }));
    expect(failure).toMatchObject({ code: 'missing', side: 'destination', message: expect.stringContaining(step) as unknown });
  });
});
