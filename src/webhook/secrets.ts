import { LRUCache } from 'lru-cache';
import type { Cluster } from '../cluster/cluster.js';
import type { Secret } from '../domain/secret.js';
import type { SecretRef } from '../domain/rule.js';
import type { Clock } from './clock.js';

/** Long enough for a burst of Pods, short enough that a rotated credential counts at once for people. */
const lifetimeMs = 5_000;
const mostSecrets = 1_000;

/** Secrets by name, read once for concurrent reviews and remembered for seconds; absence too, errors never. */
export class Secrets {
  readonly #cluster: Pick<Cluster, 'secret'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #read = new LRUCache<string, { readonly at: number; readonly secret: Promise<Secret | undefined> }>({ max: mostSecrets });

  constructor(cluster: Pick<Cluster, 'secret'>, clock: Pick<Clock, 'now'>) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  /** @throws Failure, side `cluster` */
  get(ref: SecretRef): Promise<Secret | undefined> {
    const key = keyOf(ref);
    const now = this.#clock.now();
    const known = this.#read.get(key);
    if (known !== undefined && now >= known.at && now < known.at + lifetimeMs) return known.secret;

    const secret = this.#cluster.secret(ref);
    this.#read.set(key, { at: now, secret });
    secret.catch(() => this.#read.delete(key));
    return secret;
  }

  /** What was just written must be seen. */
  forget(ref: SecretRef): void {
    this.#read.delete(keyOf(ref));
  }
}

function keyOf({ namespace, name }: SecretRef): string {
  return `${namespace}/${name}`;
}
