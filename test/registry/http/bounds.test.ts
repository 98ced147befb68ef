/** T13, F48: bodies without an end. What counts is how much the registry could send, not how much memory that was. */
import { describe, expect, test } from '@jest/globals';
import type { Fault } from '../../support/fault-registry.js';
import { aBlob, aCall } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt } from '../../support/registry-client.js';

closeAfterEach();
const ann = { id: 'aaaaaaaaaaaa', username: 'ann', password: 'correct horse' };
const mebi = 1024 * 1024;
/** what may be on the way when we stop reading: buffers of sockets, here and there */
const underWay = 24 * mebi;

describe('a body of 1 GiB', () => {
  test.each<[string, 'manifest' | 'tags' | 'blob', Fault, number]>([
    ['as a manifest', 'manifest', { on: { route: 'manifest' }, times: 99, does: { status: 200, headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' } } }, 8 * mebi],
    ['as an error', 'manifest', { on: { route: 'manifest' }, times: 99, does: { status: 403 } }, mebi],
    ['as a page of tags', 'tags', { on: { route: 'tags' }, times: 99, does: { status: 200 } }, mebi],
    ['as a blob of 1000 bytes', 'blob', { on: { route: 'blob' }, times: 99, does: { status: 200 } }, mebi],
    ['beside a redirect', 'manifest', { on: { route: 'manifest' }, does: { status: 307, headers: { location: '/v2/app/manifests/2' } } }, mebi],
    ['as a token', 'manifest', { on: { route: 'token' }, times: 99, does: { status: 200 } }, mebi],
    ['as the refusal of a token', 'manifest', { on: { route: 'token' }, times: 99, does: { status: 403 } }, mebi],
  ])('%s is read no further than its limit', async (_sentence, what, fault, limit) => {
    const server = await aRegistryServer(fault.on.route === 'token' ? { access: { type: 'bearer', accounts: { ann: ann.password } } } : {});
    let sent = 0;
    function* flood(): Generator<Uint8Array> {
      for (const piece = Buffer.alloc(64 * 1024, 'x'); sent < 1024 * mebi; sent += piece.length) yield piece;
    }
    server.fault({ ...fault, does: { ...fault.does, flood } });
    const { registry } = aClient();
    const call = aCall({ purpose: 'probe' });
    const at = refAt(server, 'app:1');

    await expect(
      (async () => {
        if (what === 'manifest') await registry.manifest(at, [ann], call);
        const stream: AsyncIterable<unknown> = what === 'tags' ? registry.tags(at, [ann], call) : registry.blob(at, aBlob('flood').descriptor, [ann], call);
        for await (const piece of stream) void piece;
      })(),
    ).rejects.toMatchObject({ name: 'Failure' });

    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(limit * 6 + underWay);
  });
});
