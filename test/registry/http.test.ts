import { createHttpRegistry } from '../../src/registry/http/client.js';
import { registryConformance } from '../conformance/registry.js';
import { startFaultRegistry, type FaultRegistryOptions } from '../support/fault-registry.js';

const ann = { id: 'a1b2c3d4e5f6', username: 'ann', password: 'correct horse' };
const accounts = { ann: ann.password };

const variants: readonly (readonly [string, FaultRegistryOptions])[] = [
  ['open to everybody', {}],
  ['with a password', { access: { type: 'basic', accounts } }],
  ['with a token service', { access: { type: 'bearer', accounts } }],
  ['with blobs at another origin and absolute upload locations', { blobsAt: 'second', locations: 'absolute' }],
];

for (const [name, options] of variants) {
  registryConformance(`the real client against the scripted registry, ${name}`, async () => {
    const server = await startFaultRegistry(options);
    const registry = createHttpRegistry({ settings: () => ({}), clock: Date.now, userAgent: 'kube-image-keeper/test' });
    const as = options.access === undefined ? [] : [ann];
    return { registry, host: server.host, as, close: async () => (await registry.close(), server.close()) };
  });
}
