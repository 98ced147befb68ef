import { LRUCache } from 'lru-cache';
import type { Secret } from '../domain/secret.js';
import { repositoryText, type Repository } from '../domain/image-ref.js';
import type { SecretRef } from '../domain/rule.js';
import type { Pod } from '../domain/usage.js';
import type { Identity } from '../registry/registry.js';
import type { Secrets } from './secrets.js';

/** What `registry/keyring` offers: docker config Secrets read as the kubelet reads them. */
export interface Keyring {
  /** credentials that fit a repository, in order */
  credentials(secrets: readonly Secret[], at: Repository): Identity;
  /** what is wrong with a Secret; empty when nothing is */
  problems(secret: Secret): readonly string[];
}

/** Whose credentials a place is probed with, or why the place cannot be used. */
export type PlaceAccess = { readonly as: Identity } | { readonly unusable: string };

const mostKeyrings = 5_000;

/**
 * Finds the credentials a Pod would pull with: the place's own first, then the Pod's pull Secrets, of which
 * missing ones are skipped as the kubelet skips them. Only Secrets that the rule or the Pod itself names are read.
 */
export class Identities {
  readonly #secrets: Pick<Secrets, 'get'>;
  readonly #keyring: Keyring;
  /** decoding a Secret costs more than everything else of an admission that is answered from memory */
  readonly #decoded = new LRUCache<string, Identity>({ max: mostKeyrings });

  constructor(secrets: Pick<Secrets, 'get'>, keyring: Keyring) {
    this.#secrets = secrets;
    this.#keyring = keyring;
  }

  async find(at: Repository, placeSecret: SecretRef | undefined, pod: Pick<Pod, 'namespace' | 'pullSecrets'>): Promise<PlaceAccess> {
    const [own, ofPod] = await Promise.all([placeSecret === undefined ? undefined : this.#own(placeSecret, at), this.#ofPod(pod, at)]);
    return typeof own === 'string' ? { unusable: own } : { as: [...(own ?? []), ...ofPod] };
  }

  /** @returns the credentials, or why there are none to be had */
  async #own(ref: SecretRef, at: Repository): Promise<Identity | string> {
    const name = `secret ${ref.namespace}/${ref.name}`;
    try {
      const secret = await this.#secrets.get(ref);
      if (secret === undefined) return `${name} not found`;
      const found = this.#credentials([secret], at);
      const [problem] = found.length === 0 ? this.#keyring.problems(secret) : [];
      return problem === undefined ? found : `${name}: ${problem}`;
    } catch {
      return `${name} cannot be read`;
    }
  }

  async #ofPod({ namespace, pullSecrets }: Pick<Pod, 'namespace' | 'pullSecrets'>, at: Repository): Promise<Identity> {
    const read = await Promise.all(pullSecrets.map((name) => this.#secrets.get({ namespace, name }).catch(() => undefined)));
    return this.#credentials(
      read.filter((secret) => secret !== undefined),
      at,
    );
  }

  #credentials(secrets: readonly Secret[], at: Repository): Identity {
    if (secrets.length === 0) return [];
    const key = [repositoryText(at), ...secrets.map(({ namespace, name, uid, resourceVersion }) => `${namespace}/${name}/${uid}/${resourceVersion}`)].join(' ');
    const known = this.#decoded.get(key);
    if (known !== undefined) return known;

    const found = this.#keyring.credentials(secrets, at);
    this.#decoded.set(key, found);
    return found;
  }
}
