import { describe, expect } from '@jest/globals';
import { isFailure } from '../../src/domain/failure.js';
import { knownImageRef } from '../../src/domain/image-ref.js';
import { createHttpRegistry, type HttpRegistry } from '../../src/registry/http/client.js';
import { startFaultRegistry, type FaultRegistry } from '../support/fault-registry.js';
import { corrupt, corruptResume, randomBytes } from '../support/fault-registry/corruption.js';
import { fault, type Chance } from '../support/fault.js';
import { aCall, blobOf, written } from '../support/images.js';

/** One thing at the registry, asked for by its digest. */
interface Asked {
  readonly bytes: Uint8Array;
  readonly path: string;
  readonly read: (registry: HttpRegistry) => Promise<Uint8Array>;
}

describe('answers that are not what they are called', () => {
  fault(
    'F46',
    'of ten thousand corrupted answers not one is accepted',
    async ({ chance, size }) => {
      const server = await startFaultRegistry();
      let registry = clientOf();
      const accepted: string[] = [];
      let refused = 0;
      const kinds = new Map<string, number>();
      const trials = size({ quick: 10_000, soak: 100_000 });

      for (let trial = 0; trial < trials; trial++) {
        const asked = chance.next() < 0.7 ? aBlobAt(server, chance) : aManifestAt(server, chance);
        const corruption = (chance.next() < 0.3 && asked.path.includes('/blobs/') ? corruptResume : corrupt)(chance, asked.path, asked.bytes);
        server.fault(...corruption.faults);
        if (trial % 100 === 0) registry = await renewed(registry);
        const outcome = await outcomeOf(asked, registry);
        if (outcome === 'other bytes') accepted.push(`trial ${trial}: ${corruption.kind}, ${asked.path}, ${asked.bytes.length} bytes`);
        if (outcome === 'refused') refused += 1;
        kinds.set(corruption.kind, (kinds.get(corruption.kind) ?? 0) + 1);

        server.calm();
        if (trial % 50 === 0) expect(await outcomeOf(asked, registry)).toBe('the bytes'); // it was the corruption that was refused
        server.store.find('app')?.blobs.clear();
        server.store.find('app')?.manifests.clear();
      }

      await registry.close();
      await server.close();
      expect(accepted).toEqual([]);
      expect(kinds.size).toBe(24); // every kind was among them
      // the others are cuts, which a resume heals
      expect(refused).toBeGreaterThan(trials * 0.8);
    },
    600_000,
  );
});

/** Refused means: a failure with a code. The end of a read with other bytes is what must not happen. */
async function outcomeOf(asked: Asked, registry: HttpRegistry): Promise<'the bytes' | 'other bytes' | 'refused'> {
  try {
    return Buffer.from(await asked.read(registry)).equals(asked.bytes) ? 'the bytes' : 'other bytes';
  } catch (error) {
    if (!isFailure(error)) throw error;
    return 'refused';
  }
}

async function renewed(registry: HttpRegistry): Promise<HttpRegistry> {
  await registry.close();
  return clientOf();
}

/** Each trial has a digest of its own, so nothing that is remembered of one helps the next. */
function clientOf(): HttpRegistry {
  return createHttpRegistry({ settings: () => ({}), clock: Date.now, userAgent: 'kube-image-keeper/test', random: () => 0 });
}

/** Mostly small; some are streamed through a window. */
function aBlobAt(server: FaultRegistry, chance: Chance): Asked {
  const { bytes, descriptor } = blobOf('application/vnd.oci.image.layer.v1.tar', randomBytes(chance, chance.between(3, chance.next() < 0.1 ? 1_500_000 : 20_000)));
  server.store.open('app').blobs.set(descriptor.digest, Buffer.from(bytes));
  const from = knownImageRef(`${server.host}/app`);
  return {
    bytes,
    path: `/v2/app/blobs/${descriptor.digest}`,
    read: async (registry) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of registry.blob(from, descriptor, [], aCall())) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    },
  };
}

function aManifestAt(server: FaultRegistry, chance: Chance): Asked {
  const layer = blobOf('application/vnd.oci.image.layer.v1.tar', randomBytes(chance, 10)).descriptor;
  const { bytes, mediaType, digest } = written({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config: layer, layers: [layer], annotations: { padding: 'x'.repeat(chance.between(0, 2000)) } });
  server.store.open('app').manifests.set(digest, { bytes: Buffer.from(bytes), mediaType });
  const at = knownImageRef(`${server.host}/app@${digest}`);
  return { bytes, path: `/v2/app/manifests/${digest}`, read: async (registry) => (await registry.manifest(at, [], aCall())).bytes };
}
