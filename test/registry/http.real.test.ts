import { describe, expect, test } from '@jest/globals';
import { knownImageRef } from '../../src/domain/image-ref.js';
import { createHttpRegistry } from '../../src/registry/http/client.js';
import { startRegistry } from '../../tools/servers.js';
import { registryConformance } from '../conformance/registry.js';
import { aCall } from '../support/images.js';

const options = { settings: () => ({}), clock: Date.now, userAgent: 'kube-image-keeper/test' };
const ann = { id: 'a1b2c3d4e5f6', username: 'ann', password: 'correct horse' };

registryConformance('the real client against distribution, open to everybody', async () => {
  const server = await startRegistry();
  const registry = createHttpRegistry(options);
  return { registry, host: server.address, as: [], close: async () => (await registry.close(), server.stop().then(() => undefined)) };
});

registryConformance('the real client against distribution, with a password', async () => {
  const server = await startRegistry({ htpasswd: { ann: ann.password } });
  const registry = createHttpRegistry(options);
  return { registry, host: server.address, as: [ann], close: async () => (await registry.close(), server.stop().then(() => undefined)) };
});

describe('a registry that is gone', () => {
  test('is unreachable, with its host and port in the message', async () => {
    const server = await startRegistry();
    const registry = createHttpRegistry(options);
    await server.stop();

    const asking = registry.head(knownImageRef(`${server.address}/app:1`), [], aCall());

    await expect(asking).rejects.toMatchObject({ code: 'unreachable', side: 'source', host: server.address, message: expect.stringContaining(server.address) as unknown });
    await registry.close();
  });
});
