/**
 * Looks after the copies of pull Secrets, which the webhook makes. Secrets are neither listed nor watched, so:
 *
 * 1. a copy that a Pod names is compared with its source, and written anew where it differs or is gone;
 * 2. a copy that no Pod names any more gets the time since when, as an annotation: it outlives this process;
 * 3. when that time has run out it is deleted, unless somebody wrote it meanwhile;
 * 4. copies nobody saw being used are searched for by name, in every namespace, at first and then daily.
 *
 * @see docs/concepts/pull-secrets.md
 */
import type { Cluster } from '../cluster/cluster.js';
import type { Secret } from '../domain/secret.js';
import { isFailure } from '../domain/failure.js';
import { seesNamespace } from '../domain/filter.js';
import { fieldManagers } from '../domain/names.js';
import type { Rule, SecretRef } from '../domain/rule.js';
import { expiryOfCopy, isCopyFor, isCurrentCopy, isIdleCopy, isSecretCopy, restatedCopy, secretCopy } from '../domain/secret-copy.js';
import { secretGrants, type SecretGrant } from '../domain/secret-grants.js';
import type { Pod } from '../domain/usage.js';

export interface SecretCopiesDeps {
  readonly cluster: Pick<Cluster, 'secret' | 'applySecret' | 'deleteSecret'>;
  readonly rules: () => readonly Rule[];
  readonly pods: () => Iterable<Pick<Pod, 'namespace' | 'pullSecrets'>>;
  readonly namespaces: () => readonly string[];
  /** milliseconds a copy stays that no Pod names */
  readonly expiryMs: number;
  readonly observe: (action: 'created' | 'renewed' | 'expired' | 'failed') => void;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

/** One copy, whether it exists or not. */
interface Copy extends SecretRef {
  readonly grant: SecretGrant;
}

const atOnce = 4;
const searchEveryMs = 24 * 60 * 60 * 1000;

export class SecretCopies {
  readonly #deps: SecretCopiesDeps;
  /** by name of the copies; a Secret that a rule named until it was edited stays, for the Pods that run */
  #grants: ReadonlyMap<string, SecretGrant> = new Map();
  #named: ReadonlyMap<string, Copy> = new Map();
  /** copies no Pod names, and when to look at each: milliseconds since the epoch */
  readonly #idle = new Map<string, { readonly copy: Copy; readonly dueAt: number }>();
  #searchedAt = -Infinity;

  constructor(deps: SecretCopiesDeps) {
    this.#deps = deps;
  }

  /** Searches again with the next pass: somebody else may have led meanwhile. */
  forget(): void {
    this.#grants = new Map();
    this.#named = new Map();
    this.#idle.clear();
    this.#searchedAt = -Infinity;
  }

  /** @throws the first error, after every copy had its turn */
  async pass(): Promise<void> {
    const now = this.#deps.now();
    this.#grants = this.#knownGrants();
    this.#note(namedCopies(this.#grants, this.#deps.pods()), now);
    this.#search(now);

    const sources = new SourceReader(this.#deps.cluster);
    const due = [...this.#idle.values()].filter(({ dueAt }) => dueAt <= now);
    const tasks = [...[...this.#named.values()].map((copy) => () => this.#renew(copy, sources)), ...due.map(({ copy }) => () => this.#expire(copy, now))];
    const failed = await inTurns(tasks, (error) => this.#failed(error));
    if (failed !== undefined) throw failed;
  }

  /** Those of the rules, and those remembered of rules that still exist. */
  #knownGrants(): ReadonlyMap<string, SecretGrant> {
    const rules = this.#deps.rules();
    const alive = new Set(rules.filter(({ deletedAt }) => deletedAt === undefined).map(({ id }) => id.uid));
    return new Map([...[...this.#grants].filter(([, { rule }]) => alive.has(rule.id.uid)), ...secretGrants(rules)]);
  }

  /** What was named until now and is not any more begins to idle; what is named again ends it. */
  #note(named: ReadonlyMap<string, Copy>, now: number): void {
    for (const [key, copy] of this.#named) if (!named.has(key)) this.#idle.set(key, { copy, dueAt: now });
    for (const key of named.keys()) this.#idle.delete(key);
    this.#named = named;
  }

  /** Every name in every namespace, less what is known anyway. */
  #search(now: number): void {
    if (now - this.#searchedAt < searchEveryMs) return;
    this.#searchedAt = now;
    const everywhere = this.#deps.namespaces().flatMap((namespace) => [...this.#grants.values()].flatMap((grant) => copyIn(namespace, grant)));
    for (const copy of everywhere) if (!this.#named.has(keyOf(copy)) && !this.#idle.has(keyOf(copy))) this.#idle.set(keyOf(copy), { copy, dueAt: now });
  }

  async #renew(copy: Copy, sources: SourceReader): Promise<void> {
    const { grant } = copy;
    // whoever lost the rule's favour keeps what it has, and gets nothing new
    if (!seesNamespace(grant.rule, copy.namespace)) return;
    const [source, present] = await Promise.all([sources.read(grant.source), this.#deps.cluster.secret(copy)]);
    if (present !== undefined && !isCopyFor(grant.rule.id, present)) return;
    if (source === undefined) return this.#keep(copy, present);
    if (isSecretCopy(source) || (present !== undefined && isCurrentCopy(present, source))) return;

    // the type of a Secret never changes: a copy of another type makes room first
    if (present !== undefined && present.type !== source.type) await this.#deps.cluster.deleteSecret(copy, present.resourceVersion);
    await this.#deps.cluster.applySecret(secretCopy(source, grant.rule.id, copy.namespace), fieldManagers.webhook);
    this.#deps.observe(present === undefined ? 'created' : 'renewed');
  }

  /** A source that is gone leaves its copies; only their clock stops while a Pod names them. */
  async #keep({ grant }: Copy, present: Secret | undefined): Promise<void> {
    if (present !== undefined && isIdleCopy(present)) await this.#deps.cluster.applySecret(restatedCopy(present, grant.source, grant.rule.id), fieldManagers.webhook);
  }

  async #expire(copy: Copy, now: number): Promise<void> {
    const { cluster, expiryMs, observe } = this.#deps;
    const present = await cluster.secret(copy).catch(absentIfDenied);
    if (present === undefined || !isCopyFor(copy.grant.rule.id, present)) return void this.#idle.delete(keyOf(copy));

    const dueAt = expiryOfCopy(present, expiryMs, now);
    if (dueAt === undefined) return this.#stamp(copy, present, now);
    if (dueAt > now) return void this.#idle.set(keyOf(copy), { copy, dueAt });
    await cluster.deleteSecret(copy, present.resourceVersion);
    this.#idle.delete(keyOf(copy));
    observe('expired');
  }

  async #stamp(copy: Copy, present: Secret, now: number): Promise<void> {
    const { source, rule } = copy.grant;
    await this.#deps.cluster.applySecret(restatedCopy(present, source, rule.id, new Date(now).toISOString()), fieldManagers.webhook);
    this.#idle.set(keyOf(copy), { copy, dueAt: now + this.#deps.expiryMs });
  }

  #failed(error: unknown): void {
    // a copy that was written just now is in use, and is looked at again
    if (!isFailure(error) || error.code !== 'conflict') this.#deps.observe('failed');
  }
}

/** Sources, each read once in a pass. */
class SourceReader {
  readonly #cluster: Pick<Cluster, 'secret'>;
  readonly #read = new Map<string, Promise<Secret | undefined>>();

  constructor(cluster: Pick<Cluster, 'secret'>) {
    this.#cluster = cluster;
  }

  read(source: SecretRef): Promise<Secret | undefined> {
    const key = keyOf(source);
    const reading = this.#read.get(key) ?? this.#cluster.secret(source);
    this.#read.set(key, reading);
    return reading;
  }
}

/** Copies that Pods name, by key. */
function namedCopies(grants: ReadonlyMap<string, SecretGrant>, pods: Iterable<Pick<Pod, 'namespace' | 'pullSecrets'>>): ReadonlyMap<string, Copy> {
  const named = new Map<string, Copy>();
  for (const { namespace, pullSecrets } of pods) {
    for (const name of pullSecrets) {
      const grant = grants.get(name);
      if (grant !== undefined) for (const copy of copyIn(namespace, grant)) named.set(keyOf(copy), copy);
    }
  }
  return named;
}

/** In its own namespace a Secret needs no copy. */
function copyIn(namespace: string, grant: SecretGrant): Copy[] {
  return namespace === grant.source.namespace ? [] : [{ namespace, name: grant.name, grant }];
}

function keyOf({ namespace, name }: SecretRef): string {
  return `${namespace}/${name}`;
}

/** Where we may not even look there is nothing of ours: rights can be narrowed to some namespaces. */
function absentIfDenied(error: unknown): undefined {
  if (!isFailure(error) || error.code !== 'denied') throw error;
}

/** @returns the first error, after everything was tried */
async function inTurns(tasks: (() => Promise<void>)[], onError: (error: unknown) => void): Promise<Error | undefined> {
  let failed: Error | undefined;
  const worker = async (): Promise<void> => {
    for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
      await task().catch((error: unknown) => {
        onError(error);
        failed ??= error instanceof Error ? error : new Error(String(error));
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return failed;
}
