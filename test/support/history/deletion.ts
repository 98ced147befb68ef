/** One deletion in a history: the steps of the workflow of that name, each as long as it takes. */
import { protection } from '../../../src/activities/guard.js';
import { draw } from '../../../src/domain/budget.js';
import { knownImageRef } from '../../../src/domain/image-ref.js';
import type { Block, Consent, DeleteTask, DeletionOutcome } from '../../../src/domain/task.js';
import { useOf, type CopyUse } from '../../../src/domain/use.js';
import { hours } from '../keeper.js';
import type { ModelCluster } from './cluster.js';
import type { Model } from './model.js';

export type Deletion = Omit<DeleteTask, 'keeper'>;

/** A keeper that has not answered by then is not waited for any more. */
export const answerMs = 5 * 60_000;

/** How long what the clusters said lets a copy go. */
const wordMs = 5 * 60_000;

/** A cluster that knows the copy as its own: it draws from its budgets. */
interface Holder {
  readonly cluster: ModelCluster;
  readonly use: CopyUse;
}

export class RunningDeletion {
  readonly #model: Model;
  readonly #task: Deletion;
  /** a request to delete is under way: it is not interrupted any more */
  #isSending = false;
  #hasEnded = false;
  #isForgotten = false;
  #consent: Consent | undefined;
  #held: readonly Holder[] = [];
  /** when the clusters were asked last */
  #saidAt = 0;

  constructor(
    readonly runId: string,
    task: Deletion,
    model: Model,
  ) {
    this.#task = task;
    this.#model = model;
  }

  start(): void {
    this.#soon(1_000, 60_000, () => {
      if (this.#isBlocked() || this.#isSomethingElse() || this.#isSpent()) return;
      for (const { cluster, image } of this.#task.clusters) this.#model.report(cluster, image, { state: 'retiring' });
      this.#model.agenda.in(this.#task.tombstoneMs, () => this.#afterTombstone());
    });
  }

  /** Its keeper does not want it any more, or somebody ended it. */
  cancel(): void {
    this.#soon(100, 2_000, () => {
      if (!this.#isSending) this.#end({ v: 1, result: 'blocked', block: { reason: 'claimed', message: 'the deletion was stopped' } });
    });
  }

  /** Temporal has forgotten it; what it has begun to send arrives. */
  vanish(): void {
    this.#isForgotten = true;
    if (!this.#isSending) this.#hasEnded = true;
  }

  /** The keeper's word: for this run, or for another one. */
  hear(consent: Consent): void {
    if (consent.runId === this.runId) this.#consent = consent;
  }

  #afterTombstone(): void {
    this.#saidAt = this.#model.agenda.now;
    if (this.#hasEnded || this.#isBlocked()) return;
    this.#taken(Infinity, () => {
      if (!this.#isSomethingElse()) this.#askKeeper();
    });
  }

  #askKeeper(): void {
    this.#model.ask(this.#task.destination, { v: 1, runId: this.runId, kind: 'delete', asking: true, digest: this.#task.digest });
    this.#soon(500, this.#consent === undefined ? answerMs : 3_000, () => {
      if (this.#consent === undefined) return this.#stay({ reason: 'claimed', message: 'the keeper did not answer' });
      if (this.#consent.refused !== undefined) return this.#stay(this.#consent.refused);
      if (this.#model.agenda.now - this.#saidAt > wordMs) return this.#stay({ reason: 'incomplete-inventory', message: 'their word is old', retryAfterMs: 1 * hours });
      this.#isSending = true;
      this.#taken(60_000, () => this.#soon(100, 25_000, () => this.#send()));
    });
  }

  /** Work for the registry waits until a manager of the cluster that has it is there, and for so long. */
  #taken(patienceMs: number, does: () => void): void {
    const { agenda } = this.#model;
    const [by, since] = [this.#held[0]?.cluster, agenda.now];
    if (!this.#model.isCalm && this.#model.chance.next() < 0.05) by?.beAway(this.#model.chance.between(1, 3_000) * 60_000); // at the worst moment
    this.#soon(100, 5_000, () => {
      const left = patienceMs - (agenda.now - since);
      if (by?.isAlive === true) does();
      else if (left > 0) this.#soon(1_000, 30_000, () => this.#taken(left, does));
      else this.#stay({ reason: 'incomplete-inventory', message: 'nobody takes it' });
    });
  }

  #send(): void {
    if (this.#isSomethingElse()) return;
    this.#model.judgeDeletion(this.#task);
    this.#model.tags.delete(this.#task.destination);
    this.#gone('deleted');
  }

  /** A look at the tag. */
  #isSomethingElse(): boolean {
    const found = this.#model.tags.get(this.#task.destination);
    if (found === this.#task.digest) return false;
    if (found === undefined) this.#gone('absent');
    else this.#stay({ reason: 'digest-changed', message: `the tag has ${found}` });
    return true;
  }

  #gone(result: 'deleted' | 'absent'): void {
    const { clusters, digest } = this.#task;
    if (!this.#isForgotten) for (const { cluster, image } of clusters) this.#model.report(cluster, image, { state: 'deleted' });
    this.#end({ v: 1, result, digest });
  }

  /** Each cluster that holds the copy lets it go from its own budgets. */
  #isSpent(): boolean {
    const { host } = knownImageRef(this.#task.destination);
    for (const { cluster, use: { rule = '', ruleCopies } } of this.#held) {
      const drawn = draw(cluster.ledger, { registry: host, rule, ruleCopies }, this.#model.limits, cluster.now);
      if (drawn.result === 'spent') return this.#blockedBy({ reason: 'budget', message: `of the ${drawn.by}`, retryAfterMs: drawn.retryAfterMs });
      cluster.ledger = drawn.ledger;
    }
    return false;
  }

  /** Every cluster says that it does not use the copy, from what is so at this moment; one that is gone for good is not waited for. */
  #isBlocked(): boolean {
    const { destination, publishAs, digest, unusedSince } = this.#task;
    const held: Holder[] = [];
    const against: Block[] = [];
    const by: string[] = [];
    for (const { cluster: name, image, isLost } of this.#task.clusters) {
      const cluster = this.#model.cluster(name);
      if (cluster?.isAlive !== true) {
        if (isLost === true) continue;
        against.push({ reason: 'incomplete-inventory', message: `${name} does not answer` });
        continue;
      }
      const use = useOf({ destination, publishAs, image, digest, unusedSince }, cluster.picture());
      const block = protection(use, cluster.now);
      if (block !== undefined) {
        against.push(block);
        by.push(name);
      } else if (use.isHeld) held.push({ cluster, use });
    }
    const [first] = against;
    if (first !== undefined) return this.#blockedBy(first, by);
    this.#held = held;
    return held.length > 0 ? false : this.#blockedBy({ reason: 'no-credential', message: 'no cluster holds it' });
  }

  #blockedBy(block: Block, by: readonly string[] = []): true {
    this.#stay(block, by);
    return true;
  }

  #stay(block: Block, by: readonly string[] = []): void {
    this.#end({ v: 1, result: 'blocked', block, by });
  }

  #end(outcome: DeletionOutcome): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#isForgotten) return;
    if (outcome.result === 'blocked') for (const { cluster, image } of this.#task.clusters) this.#model.report(cluster, image, { state: 'stays', block: outcome.block });
    this.#model.deletionEnded(this, this.#task.destination, outcome);
  }

  #soon(leastMs: number, mostMs: number, does: () => void): void {
    this.#model.agenda.in(this.#model.chance.between(leastMs, mostMs), () => {
      if (!this.#hasEnded) does();
    });
  }
}
