import { describe, expect } from '@jest/globals';
import { settle } from '../support/fake-time.js';
import { fault } from '../support/fault.js';
import { aBlob, aCall, anImage, pushImage, single } from '../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt, type ClientUnderTest } from '../support/registry-client.js';
import type { Descriptor } from '../../src/registry/registry.js';
import type { FaultRegistry } from '../support/fault-registry.js';

closeAfterEach();
/** one place for downloads, and a stall timeout that a test can wait for: what takes a minute takes 300 ms here */
const settings = { blobConcurrency: 1, stallTimeoutMs: 300, minBytesPerSecond: 1024 };

async function read({ registry }: ClientUnderTest, server: FaultRegistry, of: Descriptor): Promise<number> {
  let bytes = 0;
  for await (const chunk of registry.blob(refAt(server, 'app'), of, [], aCall())) bytes += chunk.length;
  return bytes;
}

describe('the body of a layer comes slowly, or not at all', () => {
  for (const [sentence, most] of [['one that drips', 20], ['one that stalls', 100_000]] as const) {
    fault('F45', `${sentence} is broken off as a time-out, and its place is free for the next`, async ({ chance }) => {
      const server = await aRegistryServer();
      const client = aClient({ settings: () => settings });
      const [slow, quick] = [aBlob('slow', chance.between(50_000, 90_000)), aBlob('quick', 5000)];
      await pushImage(client.registry, `${server.host}/app:1`, single(anImage('app', { layers: [slow, quick] })));
      const drip = { bytes: chance.between(1, 3), everyMs: most === 20 ? chance.between(10, most) : most };
      server.fault({ on: { route: 'blob', method: 'GET', path: slow.descriptor.digest }, times: 10, does: { drip } });

      const [failed, others] = await Promise.all([read(client, server, slow.descriptor).catch((error: unknown) => error), read(client, server, quick.descriptor)]);

      expect(failed).toMatchObject({ code: 'timeout', side: 'source', host: server.host });
      expect(others).toBe(quick.bytes.length);
      await settle();
      // once more on another connection, then no more
      expect(server.requests.filter(({ method, path }) => method === 'GET' && path.includes(slow.descriptor.digest))).toHaveLength(2);
      expect(client.registry.pace()[0]?.busy).toEqual({ metadata: 0, download: 0, upload: 0 });
    });
  }

  fault('F45', 'a slow line that is fast enough is left in peace', async ({ chance }) => {
    const server = await aRegistryServer();
    const client = aClient({ settings: () => settings });
    const blob = aBlob('layer', 40_000);
    await pushImage(client.registry, `${server.host}/app:1`, single(anImage('app', { layers: [blob] })));
    server.fault({ on: { route: 'blob', method: 'GET' }, does: { drip: { bytes: chance.between(500, 900), everyMs: 20 } } });

    expect(await read(client, server, blob.descriptor)).toBe(blob.bytes.length);
  });
});
