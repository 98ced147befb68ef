import type { Cluster } from '../cluster/cluster.js';
import { labels } from '../domain/names.js';
import type { SecretRef } from '../domain/rule.js';
import type { Log } from '../telemetry/log.js';

export interface PasswordDeps {
  readonly cluster: Pick<Cluster, 'secret' | 'createSecret'>;
  readonly secret: SecretRef;
  /** the password, should one be needed */
  readonly random: () => string;
  /** resolves after so many milliseconds, or when the signal aborts */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

const passwordKey = 'password';
const firstPauseMs = 500;
/** The Pods of a database that is set up anew wait for it, and somebody for them; a manager that leads may do so for months. */
const lookAgainMs = 30_000;

/** Sees to it, until the signal aborts, that there is a password for the database the chart runs; never rejects. */
export async function keepPassword({ cluster, secret, random, sleep, log }: PasswordDeps, signal: AbortSignal): Promise<void> {
  for (let pauseMs = firstPauseMs; !signal.aborted; await sleep(pauseMs, signal)) {
    try {
      if ((await ensurePassword(cluster, secret, random)) === 'created') log.info({ secret: secret.name }, 'the password of the database is made');
      pauseMs = lookAgainMs;
    } catch (error) {
      log.warn({ err: error, secret: secret.name }, 'the password of the database cannot be made, trying again');
      pauseMs = Math.min(lookAgainMs, pauseMs * 2);
    }
  }
}

/**
 * A password that is there stays for ever, whoever made it: a database learns it when it is set up, and never again.
 *
 * @param random the password, should one be needed
 */
export async function ensurePassword(cluster: Pick<Cluster, 'secret' | 'createSecret'>, ref: SecretRef, random: () => string): Promise<'created' | 'present'> {
  if ((await cluster.secret(ref)) !== undefined) return 'present';
  return cluster.createSecret({ ...ref, type: 'Opaque', data: { [passwordKey]: Buffer.from(random()) }, labels: { [labels.managedBy]: 'kuik' } });
}
