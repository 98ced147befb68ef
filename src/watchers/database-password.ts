import type { Cluster } from '../cluster/cluster.js';
import { labels } from '../domain/names.js';
import type { SecretRef } from '../domain/rule.js';

const passwordKey = 'password';

/**
 * A password that is there stays for ever, whoever made it: a database learns it when it is set up, and never again.
 *
 * @param random the password, should one be needed
 */
export async function ensurePassword(cluster: Pick<Cluster, 'secret' | 'createSecret'>, ref: SecretRef, random: () => string): Promise<'created' | 'present'> {
  if ((await cluster.secret(ref)) !== undefined) return 'present';
  return cluster.createSecret({ ...ref, type: 'Opaque', data: { [passwordKey]: Buffer.from(random()) }, labels: { [labels.managedBy]: 'kuik' } });
}
