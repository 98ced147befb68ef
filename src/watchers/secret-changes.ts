import type { Secret } from '../domain/secret.js';
import type { FailureCode } from '../domain/failure.js';
import { knownImageRef, type ImageName, type PlaceId } from '../domain/image-ref.js';
import type { ImageRecord, PlaceRecord } from '../domain/record.js';
import { isInForce, ruleText, type Rule, type SecretRef } from '../domain/rule.js';
import type { Pod } from '../domain/usage.js';
import { secretsOf } from './secret-check.js';

export interface SecretChangesDeps {
  readonly read: (ref: SecretRef) => Promise<Secret | undefined>;
  readonly podsUsing: (image: ImageName) => readonly Pick<Pod, 'namespace' | 'pullSecrets'>[];
  /** the Secret configured for a host */
  readonly fallback: (host: string) => SecretRef | undefined;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

/** A copy that failed for want of a right. */
interface Waiting {
  readonly destination: PlaceId;
  /** Secrets it depends on */
  readonly keys: readonly string[];
  /** nothing may be started for it */
  readonly rests: boolean;
}

/** What another credential can heal; some registries say so of what they do not want to show. */
const healed: readonly FailureCode[] = ['unauthorized', 'denied', 'missing'];
const lookAgainMs = 20_000;
const mostSecrets = 200; // a request each
const mostPodSecrets = 16; // as many as a copy uses
const absent = 'absent';

/**
 * Finds copies that failed for want of a right, and whose Secrets have changed since: their keepers wait no longer.
 * What rests, a suspended rule or a paused image, is left alone until it does no more. Nothing is watched; a Secret is
 * read while a failure depends on it, every 20 s. What changed while no manager led is found at the next slow retry.
 */
export class SecretChanges {
  readonly #deps: SecretChangesDeps;
  #seen = new Map<string, { readonly at: number; readonly version: string }>();
  /** to be told, until their keepers have been */
  #due: ReadonlySet<PlaceId> = new Set();

  constructor(deps: SecretChangesDeps) {
    this.#deps = deps;
  }

  /**
   * @param lookAgain has the keeper of a destination forget the failure. Not a person's word: what is there stays as it is
   * @throws what `lookAgain` threw: the rest waits for the next call
   */
  async carryOut(records: readonly ImageRecord[], rules: readonly Rule[], lookAgain: (destination: PlaceId) => Promise<void>): Promise<void> {
    const waiting = this.#waiting(records, rules);
    const changed = await this.#changed([...new Set(waiting.flatMap(({ keys }) => keys))].sort().slice(0, mostSecrets));
    const due = waiting.filter(({ destination, keys }) => this.#due.has(destination) || keys.some((key) => changed.has(key)));
    const left = new Set(due.map(({ destination }) => destination));
    this.#due = left;
    for (const { destination } of due.filter(({ rests }) => !rests)) {
      if (!left.has(destination)) continue; // two records of one copy
      await lookAgain(destination);
      left.delete(destination);
    }
  }

  #waiting(records: readonly ImageRecord[], rules: readonly Rule[]): Waiting[] {
    const resting = new Set(rules.filter((rule) => !isInForce(rule)).map(({ id }) => ruleText(id)));
    return records.flatMap((record) =>
      record.places.filter(mayHeal).map((place) => ({
        destination: place.reference as string as PlaceId,
        keys: this.#secretsBehind(record.image, place, rules),
        rests: record.paused === true || (place.rule !== undefined && resting.has(place.rule)),
      })),
    );
  }

  /** Which of these Secrets are others than when they were last looked at; the first look only remembers. */
  async #changed(keys: readonly string[]): Promise<ReadonlySet<string>> {
    const before = this.#seen;
    this.#seen = new Map();
    const changed = new Set<string>();
    for (const key of keys) {
      const known = before.get(key);
      const now = this.#deps.now();
      const isFresh = known !== undefined && now - known.at < lookAgainMs;
      const version = isFresh ? known.version : await this.#version(key, known?.version);
      if (version === undefined) continue;
      if (known !== undefined && known.version !== version) changed.add(key);
      this.#seen.set(key, { at: isFresh ? known.at : now, version });
    }
    return changed;
  }

  /** A Secret that cannot be read just now is what it was. */
  async #version(key: string, known: string | undefined): Promise<string | undefined> {
    try {
      const secret = await this.#deps.read(refOf(key));
      return secret === undefined ? absent : `${secret.uid}/${secret.resourceVersion}`;
    } catch {
      return known;
    }
  }

  /** The Secrets a copy would use, on the side where it failed. */
  #secretsBehind(image: ImageName, { failure, secret }: PlaceRecord, rules: readonly Rule[]): string[] {
    const destination = secret === undefined ? [] : [keyOf(secret)];
    if (failure?.side === 'destination') return destination;
    const source = this.#sourceSecrets(image, rules);
    return failure?.side === 'source' ? source : [...destination, ...source];
  }

  #sourceSecrets(image: ImageName, rules: readonly Rule[]): string[] {
    const upstreams = rules.filter((rule) => rule.type === 'replica' && isInForce(rule)).flatMap(secretsOf).map(keyOf);
    const ofPods = this.#deps.podsUsing(image).flatMap(({ namespace, pullSecrets }) => pullSecrets.map((name) => keyOf({ namespace, name })));
    const fallback = this.#deps.fallback(knownImageRef(image).host);
    return [...upstreams, ...[...new Set(ofPods)].sort().slice(0, mostPodSecrets), ...(fallback === undefined ? [] : [keyOf(fallback)])];
  }
}

function mayHeal({ role, failure }: PlaceRecord): boolean {
  return role === 'mirror' && failure !== undefined && healed.includes(failure.code);
}

function keyOf({ namespace, name }: SecretRef): string {
  return `${namespace}/${name}`;
}

function refOf(key: string): SecretRef {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
