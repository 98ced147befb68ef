/**
 * Whoever asks may not be allowed to read the Secrets that the webhook reads. Their places are then explained by what
 * records say, however old, or by an anonymous answer where that is good; and it is said so.
 */
import type { Cluster } from '../../cluster/cluster.js';
import { anonymous, type Fact } from '../../domain/availability.js';
import { isFailure } from '../../domain/failure.js';
import type { SecretRef } from '../../domain/rule.js';
import type { Identity } from '../../registry/registry.js';
import type { Asked } from '../../webhook/probe.js';
import { nameOfGrant } from '../../webhook/pull-secrets.js';
import type { RouteDeps } from '../../webhook/route.js';

/** Remembers which Secrets this person may not read. */
export class ReadableSecrets {
  readonly #cluster: Pick<Cluster, 'secret'>;
  readonly #hidden = new Set<string>();

  constructor(cluster: Pick<Cluster, 'secret'>) {
    this.#cluster = cluster;
  }

  /** `namespace/name` of each */
  get hidden(): readonly string[] {
    return [...this.#hidden].sort();
  }

  isHidden(ref: SecretRef): boolean {
    return this.#hidden.has(textOf(ref));
  }

  async secret(ref: SecretRef): ReturnType<Cluster['secret']> {
    try {
      return await this.#cluster.secret(ref);
    } catch (error) {
      if (isFailure(error) && (error.code === 'denied' || error.code === 'unauthorized')) this.#hidden.add(textOf(ref));
      throw error;
    }
  }
}

/** The same decision, with other eyes where Secrets are hidden. */
export function withoutHidden(deps: RouteDeps, secrets: Pick<ReadableSecrets, 'isHidden'>): RouteDeps {
  const unseen = new WeakSet<Identity>();
  return {
    ...deps,
    identities: {
      find: async (at, secret, pod) => {
        const access = await deps.identities.find(at, secret, pod);
        const needed = [...(secret === undefined ? [] : [secret]), ...pod.pullSecrets.map((name) => ({ namespace: pod.namespace, name }))];
        if (!needed.some((ref) => secrets.isHidden(ref))) return access;
        const as: Identity = [];
        unseen.add(as);
        return { as };
      },
    },
    prober: {
      known: (asked) => (unseen.has(asked.as) ? deps.records.fact(asked.place) : deps.prober.known(asked)),
      ask: (asked) => (unseen.has(asked.as) ? askAnonymously(asked, deps) : deps.prober.ask(asked)),
    },
    pullSecrets: {
      grant: async (candidate, namespace, isDryRun) => {
        const granted = await deps.pullSecrets.grant(candidate, namespace, isDryRun);
        const name = nameOfGrant(candidate, namespace);
        if (!('failed' in granted) || candidate.secret === undefined || name === undefined) return granted;
        return secrets.isHidden(candidate.secret) || secrets.isHidden({ namespace, name }) ? { name } : granted;
      },
    },
  };
}

/** A door that is open for everybody is open; a closed one says nothing of the Secret's owner. */
async function askAnonymously(asked: Asked, { prober }: RouteDeps): Promise<Fact> {
  const fact = await prober.ask({ ...asked, as: [] });
  if (fact.state !== 'InvalidAuth' && fact.state !== 'NotFound') return fact;
  return { ...fact, state: 'UnavailableSecret', identity: anonymous, message: 'you may not read the Secret it is pulled with, and no record knows it' };
}

function textOf({ namespace, name }: SecretRef): string {
  return `${namespace}/${name}`;
}
