import type { Cluster, Secret } from '../cluster/cluster.js';
import type { Candidate } from '../domain/candidate.js';
import { annotations, fieldManagers } from '../domain/names.js';
import type { RuleId, SecretRef } from '../domain/rule.js';
import { isSecretCopy, secretCopy, secretCopyName } from './secret-copy.js';
import type { Secrets } from './secrets.js';

/** The Secret a Pod must name to pull from a place: none, one that is there, or why there is none. */
export type Granted = { readonly name?: string } | { readonly failed: string };

/** The name a Pod of a namespace uses for the Secret of a place; undefined when the place needs none. */
export function nameOfGrant({ secret, rule }: Pick<Candidate, 'secret' | 'rule'>, namespace: string): string | undefined {
  if (secret === undefined) return undefined;
  return secret.namespace === namespace || rule === undefined ? secret.name : secretCopyName(secret, rule.uid);
}

export interface PullSecretsDeps {
  readonly cluster: Pick<Cluster, 'applySecret'>;
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
    if (present !== undefined && !isSecretCopy(present)) return { failed: `secret ${namespace}/${name} is not ours` };
    if (!isDryRun && !isCurrent(present, source)) await this.#write(source, rule, { namespace, name }, present);
    return { name };
  }

  /** Concurrent reviews of one namespace write once. */
  #write(source: Secret, rule: RuleId, copy: SecretRef, present: Secret | undefined): Promise<void> {
    const { cluster, secrets, observe } = this.#deps;
    const key = `${textOf(copy)} ${source.resourceVersion}`;
    const writing = this.#writing.get(key);
    if (writing !== undefined) return writing;

    const written = cluster
      .applySecret(secretCopy(source, rule, copy.namespace), fieldManagers.webhook)
      .then(() => observe(present === undefined ? 'created' : 'renewed'))
      .finally(() => {
        this.#writing.delete(key);
        secrets.forget(copy);
      });
    this.#writing.set(key, written);
    return written;
  }
}

/** Versions are opaque, so equality is all that can be asked; v2's copies name none and are written anew. */
function isCurrent(copy: Secret | undefined, source: Secret): boolean {
  if (copy?.annotations[annotations.secretSourceVersion] !== source.resourceVersion || copy.type !== source.type) return false;
  const keys = Object.keys(source.data);
  return keys.length === Object.keys(copy.data).length && keys.every((key) => isSameContent(copy.data[key], source.data[key]));
}

function isSameContent(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}

function textOf({ namespace, name }: SecretRef): string {
  return `${namespace}/${name}`;
}
