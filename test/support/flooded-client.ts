/**
 * A process of its own for F48: it asks a hostile registry for one thing, and prints `{ code, grownBytes }`: how that
 * ended, and how far the process has grown since it was warm.
 *
 *     node dist/test/support/flooded-client.js 127.0.0.1:5000 manifest flood
 */
import { knownImageRef } from '../../src/domain/image-ref.js';
import { createHttpRegistry, type HttpRegistry } from '../../src/registry/http/client.js';
import { aBlob, aCall } from './images.js';

const [host = '', asked = '', repository = ''] = process.argv.slice(2);
const registry = createHttpRegistry({ settings: () => ({}), clock: Date.now, userAgent: 'kube-image-keeper/test', random: () => 0 });
const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;

// what every process needs once: code, connections, the parser of manifests
for (const what of ['manifest', 'tags', 'blob', 'referrers']) await ask(registry, what, 'honest');
const warmBytes = peakBytes();

const code = await ask(registry, asked, repository);
console.log(JSON.stringify({ code, grownBytes: peakBytes() - warmBytes }));
await registry.close();

/** @returns the code it failed with, or `done` */
async function ask(client: HttpRegistry, what: string, name: string): Promise<string> {
  const at = knownImageRef(`${host}/${name}:1`);
  const digest = aBlob('flood').descriptor.digest;
  try {
    if (what === 'manifest') await client.manifest(at, [], aCall());
    if (what === 'tags') for await (const tag of client.tags(at, [], aCall())) void tag;
    if (what === 'blob') for await (const chunk of client.blob(at, aBlob('flood').descriptor, [], aCall())) void chunk;
    if (what === 'referrers') await client.referrers({ host: at.host, path: at.path, digest }, [], aCall());
    return 'done';
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
  }
}
