/**
 * A process of its own: it copies one layer between two registries that are hardly there, and prints `{ grownBytes }`: how
 * far the process has grown since it was warm.
 *
 *     node dist/test/support/large-copy-client.js 127.0.0.1:5000 sha256:... 67108864
 */
import { keepYoungGenerationSmall } from '../../src/commands/young-generation.js';
import type { Digest } from '../../src/domain/digest.js';
import { knownImageRef } from '../../src/domain/image-ref.js';
import { createHttpRegistry } from '../../src/registry/http/client.js';
import type { Descriptor } from '../../src/registry/registry.js';
import { aBlob, aCall } from './images.js';

keepYoungGenerationSmall(); // as every process of the product that copies
const [host = '', digest = '', size = ''] = process.argv.slice(2);
const registry = createHttpRegistry({ settings: () => ({}), clock: Date.now, userAgent: 'kube-image-keeper/test', random: () => 0 });
const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;

// what every process needs once: code, connections
await copy(aBlob('warm', 1).descriptor).catch(() => undefined);
const warmBytes = peakBytes();

await copy({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digest as Digest, size: Number(size) });
console.log(JSON.stringify({ grownBytes: peakBytes() - warmBytes }));
await registry.close();

async function copy(layer: Descriptor): Promise<void> {
  const from = knownImageRef(`${host}/from`);
  const source = { open: (offset: number, signal: AbortSignal) => registry.blob(from, layer, [], { ...aCall(), signal, isHashedByCaller: true }, offset) };
  await registry.putBlob(knownImageRef(`${host}/to`), layer, source, [], aCall({ side: 'destination' }));
}
