/** Deleting on real registries: of two tags on one digest the other one stays pullable on every one of them (goal G15). */
import { describe, test } from '@jest/globals';
import { createHttpRegistry } from '../../src/registry/http/client.js';
import type { HttpRegistry } from '../../src/registry/http/client.js';
import { findOldRegistry, startCraneRegistry, startOldRegistry, startRegistry } from '../../tools/servers.js';
import { deletionConformance, type DeletionUnderTest } from '../conformance/deletion.js';

interface Running {
  readonly address: string;
  stop(): Promise<void>;
}

async function under(starting: Promise<Running>): Promise<DeletionUnderTest> {
  const server = await starting;
  const clients: HttpRegistry[] = [];
  return {
    host: server.address,
    as: [],
    connect: (deleteShared) => {
      const client = createHttpRegistry({ settings: () => ({ deleteShared }), clock: Date.now, userAgent: 'kube-image-keeper/test', readBackMs: 500 });
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) await client.close();
      await server.stop();
    },
  };
}

const byTag = { alone: 'tag', shared: 'tag', isolated: 'tag' } as const;

deletionConformance('distribution 3', byTag, () => under(startRegistry()));
deletionConformance('distribution 3, which deletes nothing', { alone: 'unsupported', shared: 'shared-digest', isolated: 'unsupported' }, () => under(startRegistry({ deletion: 'refused' })));
deletionConformance("crane's registry", byTag, () => under(startCraneRegistry()));

const old = await findOldRegistry();
if ('path' in old) deletionConformance('distribution 2.8', { alone: 'digest', shared: 'shared-digest', isolated: 'isolated' }, () => under(startOldRegistry(old.path)));
else describe('distribution 2.8', () => test.skip(`not run: ${old.missing}`, () => undefined));
