import { Client, Connection } from '@temporalio/client';
import type { Claim } from '../../src/domain/claim.js';
import type { PlaceId } from '../../src/domain/image-ref.js';
import type { KeeperStatus } from '../../src/domain/keeper-story.js';
import { createKeeperClient, type KeeperClient } from '../../src/temporal/client.js';
import { workflowIds } from '../../src/temporal/workflow-ids.js';

/** Temporal as a person sees it who has the UI and the CLI: what keepers say, and every button. */
export interface Keepers {
  readonly client: Client;
  readonly keepers: KeeperClient;
  status(destination: string): Promise<KeeperStatus | undefined>;
  /** clusters with a live claim */
  claimants(destination: string): Promise<readonly string[]>;
  /** what a cluster would say, said by somebody else */
  claim(claim: Claim): Promise<void>;
  close(): Promise<void>;
}

export async function openKeepers(address: string): Promise<Keepers> {
  const connection = await Connection.connect({ address });
  const keepers = createKeeperClient({ endpoint: { address, namespace: 'kuik' }, searchable: () => true, deadlineMs: 20_000 });
  const status = async (destination: string): Promise<KeeperStatus | undefined> => {
    const seen = await keepers.status(destination as PlaceId);
    return seen === 'absent' ? undefined : seen;
  };
  return {
    client: new Client({ connection, namespace: 'kuik' }),
    keepers,
    status,
    claimants: async (destination) => ((await status(destination))?.claims ?? []).filter(({ state }) => state === 'live').map(({ cluster }) => cluster),
    claim: async (claim) => void (await keepers.claim(claim)),
    close: async () => {
      await keepers.close();
      await connection.close();
    },
  };
}

/** Workflow IDs of a destination, for whoever presses buttons. */
export function idsOf(destination: string): ReturnType<typeof workflowIds> {
  return workflowIds(destination as PlaceId);
}
