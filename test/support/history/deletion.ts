/** One deletion in a history: the steps of the workflow of that name, each as long as it takes. */
import type { Block, Consent, DeleteTask, DeletionOutcome } from '../../../src/domain/task.js';
import { useOf } from '../../../src/domain/use.js';
import type { Model } from './model.js';

export type Deletion = Omit<DeleteTask, 'keeper'>;

const answerMs = 5 * 60_000;

export class RunningDeletion {
  readonly #model: Model;
  readonly #task: Deletion;
  /** a request to delete is under way: it is not interrupted any more */
  #isSending = false;
  #hasEnded = false;
  #consent: Consent | undefined;

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
      if (this.#isBlocked()) return;
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

  /** The keeper's word: for this run, or for another one. */
  hear(consent: Consent): void {
    if (consent.runId === this.runId) this.#consent = consent;
  }

  #afterTombstone(): void {
    if (this.#hasEnded || this.#isBlocked()) return;
    this.#model.ask(this.#task.destination, { v: 1, runId: this.runId, kind: 'delete', asking: true, digest: this.#task.digest });
    this.#model.agenda.in(this.#model.chance.next() < 0.9 ? 3_000 : answerMs, () => {
      if (this.#hasEnded) return;
      if (this.#consent === undefined) return this.#stay({ reason: 'claimed', message: 'the keeper did not answer' });
      if (this.#consent.refused !== undefined) return this.#stay(this.#consent.refused);
      this.#isSending = true;
      this.#soon(100, 25_000, () => this.#send());
    });
  }

  #send(): void {
    const { destination, digest, clusters } = this.#task;
    const { tags } = this.#model;
    const found = tags.get(destination);
    if (found !== undefined && found !== digest) return this.#stay({ reason: 'digest-changed', message: `the tag has ${found}` });
    if (found !== undefined) this.#model.judgeDeletion(this.#task);
    tags.delete(destination);
    for (const { cluster, image } of clusters) this.#model.report(cluster, image, { state: 'deleted' });
    this.#end({ v: 1, result: found === undefined ? 'absent' : 'deleted', digest });
  }

  /** Every cluster says that it does not use the copy, from what is so at this moment; one that is gone for good is not waited for. */
  #isBlocked(): boolean {
    const { destination, publishAs, digest, unusedSince } = this.#task;
    let isHeld = false;
    for (const { cluster: name, image, isLost } of this.#task.clusters) {
      const cluster = this.#model.cluster(name);
      if (cluster?.isAlive !== true) {
        if (isLost === true) continue;
        return this.#blockedBy({ reason: 'incomplete-inventory', message: `${name} does not answer` });
      }
      const use = useOf({ destination, publishAs, image, digest, unusedSince }, cluster.picture());
      if (use.pulledBy !== undefined) return this.#blockedBy({ reason: 'in-use', message: `${use.pulledBy} pulls from it` });
      if (use.isClaimed) return this.#blockedBy({ reason: 'claimed', message: `a rule of ${name} wants it` });
      const { expiry = { cleanup: true, dueAt: 0 } } = use;
      if (!expiry.cleanup || expiry.dueAt > this.#model.agenda.now + cluster.skewMs) return this.#blockedBy({ reason: 'claimed', message: `a rule of ${name} keeps it` });
      isHeld ||= use.isHeld;
    }
    return isHeld ? false : this.#blockedBy({ reason: 'no-credential', message: 'no cluster holds it' });
  }

  #blockedBy(block: Block): true {
    this.#stay(block);
    return true;
  }

  #stay(block: Block): void {
    this.#end({ v: 1, result: 'blocked', block });
  }

  #end(outcome: DeletionOutcome): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (outcome.result === 'blocked') for (const { cluster, image } of this.#task.clusters) this.#model.report(cluster, image, { state: 'stays', block: outcome.block });
    this.#model.deletionEnded(this.runId, this.#task.destination, outcome);
  }

  #soon(leastMs: number, mostMs: number, does: () => void): void {
    this.#model.agenda.in(this.#model.chance.between(leastMs, mostMs), () => {
      if (!this.#hasEnded) does();
    });
  }
}
