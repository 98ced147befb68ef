/** How far copies are. Only Temporal knows, so it is asked where somebody watches, and may be reached; elsewhere the record has to do. */
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { Environment } from '../../config/environment.js';
import type { PlaceId } from '../../domain/image-ref.js';
import type { Histories } from '../../temporal/histories.js';
import type { Status } from '../documents/status.js';
import { openTemporal } from '../temporal-way.js';

export interface CopyWatch {
  /** The same picture, with what has been copied of what is under way. */
  see(status: Status): Promise<Status>;
  close(): Promise<void>;
}

const blind: CopyWatch = { see: (status) => Promise.resolve(status), close: () => Promise.resolve() };

/** Never throws: whoever may not look, or finds Temporal away, sees what the records know. */
export async function openCopyWatch(cluster: Pick<KubernetesCluster, 'configMap' | 'objects' | 'forward'>, environment: Environment): Promise<CopyWatch> {
  const way = await openTemporal(cluster, environment, 'grpc');
  if (typeof way === 'string') return blind;
  const { openHistories } = await import('../../temporal/histories.js'); // the client takes most of a second
  try {
    const histories = await openHistories({ address: `127.0.0.1:${way.port}`, namespace: way.namespace });
    return {
      see: (status) => withProgress(status, histories),
      close: async () => {
        await histories.close();
        await way.close();
      },
    };
  } catch {
    await way.close();
    return blind;
  }
}

export async function withProgress(status: Status, { progress }: Pick<Histories, 'progress'>): Promise<Status> {
  const copies = await Promise.all(
    status.copies.map(async (copy) => {
      if (copy.state !== 'copying') return copy;
      const found = await progress(copy.destination as PlaceId).catch(() => undefined); // it has just ended, or Temporal has just gone
      return found === undefined || found.bytesTotal === 0 ? copy : { ...copy, bytesDone: found.bytesDone, bytesTotal: found.bytesTotal };
    }),
  );
  return { ...status, copies };
}
