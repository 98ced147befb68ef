import { Connection, Client, defaultPayloadConverter } from '@temporalio/client';
import type { Progress } from '../../src/registry/copy-engine.js';

export interface CopyProgress {
  /** phase of the keeper, then what its copy has moved: `Copying  3 of 7 blobs, 14.2 of 36.1 MiB`; undefined before there is one */
  read(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Follows the copy of one destination as a person would in the Temporal UI: search attributes and heartbeats. */
export async function followCopy(address: string, destination: string): Promise<CopyProgress> {
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace: 'kuik' });
  return {
    read: async () => {
      const phase = await phaseOf(client, destination).catch(() => undefined);
      const moved = await movedBy(client, destination).catch(() => undefined);
      return phase === undefined ? undefined : [phase, moved].filter((part) => part !== undefined).join('  ');
    },
    close: () => connection.close(),
  };
}

async function phaseOf(client: Client, destination: string): Promise<string | undefined> {
  const { searchAttributes } = await client.workflow.getHandle(`keep/${destination}`).describe();
  return searchAttributes['KuikPhase']?.[0]?.toString();
}

/** Heartbeats of the activities under way, added up. */
async function movedBy(client: Client, destination: string): Promise<string | undefined> {
  const { raw } = await client.workflow.getHandle(`task/${destination}`).describe();
  const beats = (raw.pendingActivities ?? []).flatMap(({ heartbeatDetails }) => {
    const [payload] = heartbeatDetails?.payloads ?? [];
    return payload ? [defaultPayloadConverter.fromPayload<Progress>(payload)] : [];
  });
  if (beats.length === 0) return undefined;
  const sum = (field: 'blobsDone' | 'blobsTotal' | 'bytesDone' | 'bytesTotal'): number => beats.reduce((total, beat) => total + beat[field], 0);
  const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  return `${sum('blobsDone')} of ${sum('blobsTotal')} blobs, ${mebibytes(sum('bytesDone'))} of ${mebibytes(sum('bytesTotal'))} MiB`;
}
