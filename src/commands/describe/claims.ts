/**
 * Which clusters claim each copy. Its keeper knows, and is asked where copies are shared at all, and Temporal may be
 * reached; elsewhere there is what the last daily sweep has heard, of all shared copies together.
 */
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { Environment } from '../../config/environment.js';
import type { PlaceId } from '../../domain/image-ref.js';
import type { KeeperStatus } from '../../domain/keeper-story.js';
import { openTemporal } from '../temporal-way.js';

export type ClaimsOf = (destination: string) => KeeperStatus['claims'] | undefined;

/** @returns why nobody can be asked, as a text; of a keeper that does not answer nothing is known */
export async function readClaims(destinations: readonly string[], cluster: Pick<KubernetesCluster, 'configMap' | 'objects' | 'forward'>, environment: Environment): Promise<ClaimsOf | string> {
  const way = await openTemporal(cluster, environment, 'grpc');
  if (typeof way === 'string') return way;
  try {
    const { openHistories } = await import('../../temporal/histories.js'); // the client takes most of a second
    const histories = await openHistories({ address: `127.0.0.1:${way.port}`, namespace: way.namespace });
    try {
      const found = new Map(await Promise.all(destinations.map(async (destination) => [destination, await histories.claims(destination as PlaceId)] as const)));
      return (destination) => found.get(destination);
    } finally {
      await histories.close();
    }
  } catch (error) {
    return `Temporal does not answer (${error instanceof Error ? error.message : String(error)})`;
  } finally {
    await way.close();
  }
}
