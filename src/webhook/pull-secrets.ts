import type { Cluster } from '../cluster/cluster.js';
import type { AppliedSecret, Secret } from '../domain/secret.js';
import type { Candidate } from '../domain/candidate.js';
import { fieldManagers } from '../domain/names.js';
import type { RuleId, SecretRef } from '../domain/rule.js';
import { isCopyFor, isCurrentCopy, isSecretCopy, secretCopy, secretCopyName } from '../domain/secret-copy.js';
import type { Secrets } from './secrets.js';

/** The Secret a Pod must name to pull from a place: none, one that is there, or why there is none. */
export type Granted = { readonly name?: string } | { readonly failed: string };

/** The name a Pod of a namespace uses for the Secret of a place; undefined when the place needs none. */
export function nameOfGrant({ secret, rule }: Pick<Candidate, 'secret' | 'rule'>, namespace: string): string | undefined {
  if (secret === undefined) return undefined;
  return secret.namespace === namespace || rule === undefined ? secret.name : secretCopyName(secret, rule.uid);
}

export interface PullSecretsDeps {
  readonly cluster: Pick<Cluster, 'applySecret' | 'deleteSecret'>;
  readonly secrets: Pick<Secrets, 'get' | 'forget'>;
  readonly observe: (action: 'created' | 'renewed' | 'failed') => void;
}

/** Gives Pods what they need to pull from a place: by its own name in its own namespace, elsewhere as a copy. */
export class PullSecrets {
  readonly #deps: PullSecretsDeps;
  readonly #writing = new Map<string, Promise<void>>();

  constructor(deps: PullSecretsDeps) {
    this.#deps = deps;
  }

  /** Never rejects. A dry run gives the same answer and writes nothing. */
  async grant({ secret, rule }: Pick<Candidate, 'secret' | 'rule'>, namespace: string, isDryRun: boolean): Promise<Granted> {
    if (secret === undefined) return {};
    if (secret.namespace === namespace) return { name: secret.name };
    // a rule of a namespace names Secrets of its own, and its Pods live there: anything else is not ours to hand out
    if (rule === undefined || rule.namespace !== undefined) return { failed: `secret ${textOf(secret)} belongs to another namespace` };
    try {
      return await this.#copy(secret, rule, namespace, isDryRun);
    } catch (error) {
      this.#deps.observe('failed');
      return { failed: `secret ${textOf(secret)} cannot be copied to ${namespace}: ${error instanceof Error ? error.message : 'unknown error'}` };
    }
  }

  async #copy(ref: SecretRef, rule: RuleId, namespace: string, isDryRun: boolean): Promise<Granted> {
    const source = await this.#deps.secrets.get(ref);
    if (source === undefined) return { failed: `secret ${textOf(ref)} not found` };
    if (isSecretCopy(source)) return { failed: `secret ${textOf(ref)} is itself a copy` };

    const name = secretCopyName(ref, rule.uid);
    const present = await this.#deps.secrets.get({ namespace, name });
    if (present !== undefined && !isCopyFor(rule, present)) return { failed: `secret ${namespace}/${name} is not ours` };
    if (!isDryRun && !(present !== undefined && isCurrentCopy(present, source))) await this.#write(source, rule, { namespace, name }, present);
    return { name };
  }

  /** Concurrent reviews of one namespace write once. */
  #write(source: Secret, rule: RuleId, copy: SecretRef, present: Secret | undefined): Promise<void> {
    const { cluster, secrets, observe } = this.#deps;
    const key = `${textOf(copy)} ${source.resourceVersion}`;
    const writing = this.#writing.get(key);
    if (writing !== undefined) return writing;

    const written = replaceSecret(cluster, secretCopy(source, rule, copy.namespace), present)
      .then(() => observe(present === undefined ? 'created' : 'renewed'))
      .finally(() => {
        this.#writing.delete(key);
        secrets.forget(copy);
      });
    this.#writing.set(key, written);
    return written;
  }
}

/** The type of a Secret never changes: a copy of another type makes room first. */
async function replaceSecret(cluster: PullSecretsDeps['cluster'], copy: AppliedSecret, present: Secret | undefined): Promise<void> {
  if (present !== undefined && present.type !== copy.type) await cluster.deleteSecret(copy, present.resourceVersion);
  await cluster.applySecret(copy, fieldManagers.webhook);
}

function textOf({ namespace, name }: SecretRef): string {
  return `${namespace}/${name}`;
}
