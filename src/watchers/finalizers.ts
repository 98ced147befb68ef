/**
 * Sets, holds and takes off the finalizers of rules: `domain/hold` decides. That of v2 for copies of pull Secrets is
 * never set; a deleted rule that carries it first loses its copies.
 */
import type { Cluster, Resource } from '../cluster/cluster.js';
import { isPurged } from '../domain/copy-policy.js';
import { isFailure, type Failure } from '../domain/failure.js';
import { holdOf, leftToDo, mayHold, placesOf, type HoldFacts, type RulePlace } from '../domain/hold.js';
import type { PlaceId } from '../domain/image-ref.js';
import type { KeeperStatus } from '../domain/keeper-story.js';
import { annotations, apiVersion, finalizers } from '../domain/names.js';
import type { MirrorRule, Rule } from '../domain/rule.js';
import { isCopyFor, secretCopyName } from '../domain/secret-copy.js';
import type { Picture } from './reconcile.js';
import { secretsOf } from './secret-check.js';

export interface FinalizerDeps {
  readonly cluster: Pick<Cluster, 'setFinalizer' | 'emitEvent' | 'secret' | 'deleteSecret'>;
  /** the resource a rule was made from, as last seen */
  readonly resource: (rule: Rule) => Pick<Resource, 'finalizers' | 'annotations'> | undefined;
  /** whether Temporal has not taken yet what became of a claim */
  readonly owes: (destination: PlaceId) => boolean;
  /** what the keeper of a destination says of itself */
  readonly keeper: (destination: PlaceId) => Promise<KeeperStatus | 'absent'>;
  /** names of all namespaces */
  readonly namespaces: () => readonly string[];
  /** milliseconds a deleted rule may be held back, and a place is routed around before its copy is deleted */
  readonly deadlineMs: number;
  readonly tombstoneMs: number;
  /** a deleted rule waits: look again soon */
  readonly onHeld: () => void;
}

/** @throws the first error, after every rule had its turn */
export async function holdRules(picture: Picture, deps: FinalizerDeps): Promise<void> {
  const results = await Promise.allSettled(picture.rules.map((rule) => new Holder(rule, picture, deps).look()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

class Holder {
  readonly #rule: Rule;
  readonly #picture: Picture;
  readonly #deps: FinalizerDeps;

  constructor(rule: Rule, picture: Picture, deps: FinalizerDeps) {
    this.#rule = rule;
    this.#picture = picture;
    this.#deps = deps;
  }

  async look(): Promise<void> {
    const resource = this.#deps.resource(this.#rule);
    if (resource === undefined) return;
    if (this.#rule.deletedAt !== undefined && resource.finalizers.includes(finalizers.secretCleanup)) await this.#drain(resource);
    if (this.#rule.type === 'mirror') await this.#holdMirror(this.#rule, resource);
  }

  async #holdMirror(rule: MirrorRule, resource: Pick<Resource, 'finalizers' | 'annotations'>): Promise<void> {
    const facts = await this.#factsOf(rule, resource);
    const hold = holdOf(rule, facts);
    if (hold.verdict === 'leave') return;
    if (hold.reason === 'WorkLeft') return this.#deps.onHeld();
    if (hold.reason === 'Skipped' || hold.reason === 'Overdue') await this.#tellSkipped(facts.left);
    await this.#deps.cluster.setFinalizer(rule.id, finalizers.mirrorCleanup, hold.verdict === 'hold');
  }

  async #factsOf(rule: MirrorRule, resource: Pick<Resource, 'finalizers' | 'annotations'>): Promise<HoldFacts> {
    const { records, now } = this.#picture;
    const { owes, deadlineMs, tombstoneMs } = this.#deps;
    const isHeld = resource.finalizers.includes(finalizers.mirrorCleanup);
    const places = rule.deletedAt === undefined || !isHeld ? [] : placesOf(rule, records);
    const purged = places.filter((each) => this.#isPurged(each));
    // a deletion that has begun needs its tombstone
    const begun = purged.map(({ place }) => Date.parse(place.retiringSince ?? '') + tombstoneMs).filter((at) => !Number.isNaN(at));
    const left = leftToDo(places, owes, (each) => purged.includes(each));
    return {
      isHeld,
      skips: skips(resource),
      left: left.length > 0 ? left : await this.#onTheWay(purged),
      overdueAt: Math.max(deletedAtMs(rule), ...begun) + deadlineMs,
      now,
    };
  }

  /** A copy that is only claimed so that somebody keeps it again is to go all the same. */
  #isPurged({ image, place }: RulePlace): boolean {
    const { plan, rules } = this.#picture;
    const wanted = plan.wanted.get(place.reference as string as PlaceId);
    return (wanted === undefined || wanted.isAdopted === true) && isPurged(place, image, rules);
  }

  /** Only its keeper knows of a copy that is under way: one is enough to wait for. One that does not answer is doubt. */
  async #onTheWay(purged: readonly RulePlace[]): Promise<string[]> {
    for (const { place } of purged) {
      const keeper = await this.#deps.keeper(place.reference as string as PlaceId).catch(() => undefined);
      if (keeper === undefined) return [`nobody says whether a copy to ${place.reference} is under way`];
      if (mayHold(keeper)) return [`the copy to ${place.reference} is not deleted: it is under way`];
    }
    return [];
  }

  /** Copies are found by their computed names; what cannot be reached is left behind when the time is over. */
  async #drain(resource: Pick<Resource, 'annotations'>): Promise<void> {
    const left = await this.#deleteCopies().catch((error: unknown) => {
      const isOver = this.#picture.now >= deletedAtMs(this.#rule) + this.#deps.deadlineMs;
      if (!isOver && !skips(resource)) throw error;
      return ['copies of pull Secrets could not be deleted'];
    });
    if (left.length > 0) await this.#tellSkipped(left);
    await this.#deps.cluster.setFinalizer(this.#rule.id, finalizers.secretCleanup, false);
  }

  /**
   * @returns what is left behind: rights can be narrowed to some namespaces
   * @throws the first error, after every namespace had its turn. Where none of them may be looked into, no right was
   *   narrowed: it is missing, and may come
   */
  async #deleteCopies(): Promise<readonly string[]> {
    const all = this.#deps.namespaces();
    const denials = new Map<string, Failure>();
    let failed: Error | undefined;
    for (const namespace of all) {
      try {
        const denial = await this.#deleteCopiesIn(namespace);
        if (denial !== undefined) denials.set(namespace, denial);
      } catch (error) {
        failed ??= error instanceof Error ? error : new Error(String(error));
      }
    }
    if (denials.size === all.length) failed ??= denials.values().next().value;
    if (failed !== undefined) throw failed;
    return [...denials.keys()].map((namespace) => `nobody lets us look for copies of pull Secrets in namespace ${namespace}`);
  }

  /** @returns why we may not even look there */
  async #deleteCopiesIn(namespace: string): Promise<Failure | undefined> {
    const { cluster } = this.#deps;
    const { id } = this.#rule;
    for (const source of secretsOf(this.#rule)) {
      const copy = { namespace, name: secretCopyName(source, id.uid) };
      const found = await cluster.secret(copy).catch(denialOf);
      if (isFailure(found)) return found;
      if (found !== undefined && isCopyFor(id, found)) await cluster.deleteSecret(copy, found.resourceVersion);
    }
    return undefined;
  }

  async #tellSkipped(left: readonly string[]): Promise<void> {
    const { kind, namespace, name, uid } = this.#rule.id;
    const [first = 'nothing', ...more] = left;
    await this.#deps.cluster.emitEvent({
      regarding: { apiVersion, kind, name, uid, ...(namespace === undefined ? {} : { namespace }) },
      type: 'Warning',
      action: 'Retain',
      reason: 'CleanupSkipped',
      note: `the rule goes although ${first}${more.length === 0 ? '' : `, and ${more.length} more`}`,
    });
  }
}

function denialOf(error: unknown): Failure {
  if (isFailure(error) && error.code === 'denied') return error;
  throw error;
}

function skips({ annotations: notes }: Pick<Resource, 'annotations'>): boolean {
  return notes[annotations.skipCleanup] === 'true';
}

/** A time that cannot be read is long past. */
function deletedAtMs({ deletedAt }: Rule): number {
  const at = Date.parse(deletedAt ?? '');
  return Number.isNaN(at) ? 0 : at;
}
