/**
 * Several clusters, one registry, one Temporal, and a clock that only this file moves. Keepers are the real ones,
 * less the server: their state lives in a map, and what they ask for happens here, later.
 */
import { recorded } from '../../../src/activities/record.js';
import type { BudgetLimits } from '../../../src/domain/budget.js';
import type { Digest } from '../../../src/domain/digest.js';
import { parseImageRef, placeIdentity, type ImageName, type PlaceId } from '../../../src/domain/image-ref.js';
import { nextStep, type Step } from '../../../src/domain/keeper.js';
import { revive, type KeeperState } from '../../../src/domain/keeper-state.js';
import { beginDeletion, cancelDeletion, isUnwanted } from '../../../src/domain/keeper-deletion.js';
import {
  acceptAnswered,
  acceptBlindness,
  acceptClaim,
  acceptDeletionEnding,
  acceptEnding,
  acceptObserved,
  acceptPause,
  acceptRelease,
  acceptResume,
  acceptResync,
  acceptRetry,
  acceptSight,
  acceptTold,
  beginCopy,
  compact,
  nameRun,
  passRetryOn,
} from '../../../src/domain/keeper-messages.js';
import type { CopyTask, DeletionOutcome, Outcome, Question, Report } from '../../../src/domain/task.js';
import type { Chance } from '../chance.js';
import { digestOf, failed, t0 } from '../keeper.js';
import { Agenda } from './agenda.js';
import { ModelCluster, type Message } from './cluster.js';
import { RunningDeletion, type Deletion } from './deletion.js';

/** What people may tell a keeper. */
const buttons = { pause: acceptPause, resume: acceptResume, retry: acceptRetry, resync: acceptResync } as const;

type Copying = Omit<CopyTask, 'keeper'>;

interface Keeping {
  state: KeeperState;
  startedAt: number;
  /** counts what it was told or woken for: an older alarm rings in vain */
  turn: number;
  /** when somebody began to keep the destination, by the clock of the history */
  readonly since: number;
}

export class Model {
  readonly agenda = new Agenda(t0);
  readonly clusters: readonly ModelCluster[];
  readonly keepers = new Map<PlaceId, Keeping>();
  /** what each destination answers with */
  readonly tags = new Map<PlaceId, Digest>();
  /** operations under way: the server refuses a second one */
  readonly tasks = new Map<PlaceId, RunningDeletion | { readonly runId: string }>();
  /** the deletions that were ever asked for: somebody may start one of them again by hand */
  readonly deletions: Deletion[] = [];
  /** when each copy was deleted */
  readonly deletedAt: number[] = [];
  /** managers go away only when they are told to */
  isCalm = false;
  limits: BudgetLimits = { maxDeletionsPerHour: 60, dailyBudgetPercent: 5 };
  /** what should never have happened, in words */
  readonly violations: string[] = [];
  /** when Temporal forgot something */
  lostAt = 0;
  /** how far the clock of the Temporal server is off: milliseconds */
  skewMs = 0;
  #runs = 0;
  #backup: ReadonlyMap<PlaceId, Omit<Keeping, 'turn'>> = new Map();
  /** by run */
  readonly #asked = new Map<string, Copying | Deletion>();

  constructor(
    readonly chance: Chance,
    names: readonly string[],
  ) {
    this.clusters = names.map((name) => new ModelCluster(name, this));
  }

  /** Several clusters say so of their mirrors, as the contract asks. */
  get isShared(): boolean {
    return this.clusters.length > 1;
  }

  /** Messages come late, twice, or in another order; each comes. */
  send(_from: ModelCluster, message: Message): void {
    this.agenda.in(this.chance.between(1_000, 8_000), () => this.#hear(message));
    if (this.chance.next() < 0.05) this.agenda.in(this.chance.between(1_000, 600_000), () => this.#hear(message));
  }

  /** Somebody terminates a keeper, and its deletion is asked to end; or Temporal loses both. */
  loseKeeper(destination: PlaceId): void {
    this.keepers.delete(destination);
    const task = this.tasks.get(destination);
    if (task instanceof RunningDeletion && this.chance.next() < 0.5) task.cancel();
  }

  /** The database of Temporal is copied, as every night. */
  backUp(): void {
    this.#backup = new Map([...this.keepers].map(([destination, { state, startedAt, since }]) => [destination, { state, startedAt, since }]));
  }

  /**
   * Temporal gets another database, empty or as it was. Runs it does not know end without a word, what they have begun
   * to send arrives; those it knows go on as they were then.
   */
  loseDatabase(left: 'backup' | 'nothing'): void {
    this.lostAt = this.agenda.now;
    this.keepers.clear();
    for (const task of this.tasks.values()) if (task instanceof RunningDeletion) task.vanish();
    this.tasks.clear();
    const kept = left === 'backup' ? this.#backup : [];
    for (const [destination, keeping] of kept) this.#goOn(destination, { ...keeping, turn: 0 });
    for (const cluster of this.clusters) this.agenda.in(this.chance.between(1_000, 15_000), () => cluster.meetAgain());
  }

  #goOn(destination: PlaceId, keeping: Keeping): void {
    this.keepers.set(destination, keeping);
    const { running } = keeping.state;
    if (running === undefined) return this.#turn(destination, keeping);
    const task = this.#asked.get(running.runId ?? '');
    if (task === undefined) return this.#waitForOther(keeping);
    if ('digest' in task) this.#startDeletion(task, running.runId);
    else this.#startCopy(task, running.runId);
  }

  /** Somebody presses *Start Workflow Like This One* on an old deletion. */
  deleteByHand(task: Deletion): void {
    if (!this.tasks.has(task.destination)) this.#startDeletion(task);
  }

  /** Somebody says that a cluster is gone for good: `kuik cluster forget`. */
  forget(cluster: ModelCluster): void {
    cluster.isForgotten = true;
    for (const to of this.keepers.keys()) this.#hear({ to, release: { v: 1, cluster: cluster.name, generation: 0, forget: true } });
  }

  /** Somebody sends a keeper what the UI offers. */
  press(destination: PlaceId, button: keyof typeof buttons): void {
    const keeping = this.keepers.get(destination);
    if (keeping === undefined) return;
    keeping.state = buttons[button](keeping.state, this.#serverNow());
    this.#heard(destination, keeping);
  }

  /** A deletion asks its keeper, who answers whatever else goes on. */
  ask(destination: PlaceId, question: Question): void {
    const keeping = this.keepers.get(destination);
    if (keeping === undefined) return;
    keeping.state = acceptObserved(keeping.state, question, this.#serverNow());
    const step = this.#step(keeping);
    if (step.kind !== 'answer') throw new Error(`the keeper of ${destination} was asked, and does ${step.kind}`);
    keeping.state = acceptAnswered(keeping.state);
    const task = this.tasks.get(destination);
    if (task instanceof RunningDeletion) task.hear(step.consent);
    this.#turn(destination, keeping);
  }

  deletionEnded(run: RunningDeletion, destination: PlaceId, outcome: DeletionOutcome): void {
    const { runId } = run;
    this.tasks.delete(destination);
    const keeping = this.keepers.get(destination);
    if (keeping === undefined) return;
    const isOurs = keeping.state.running?.runId === runId;
    const isTold = this.chance.next() < 0.95;
    if (isTold) keeping.state = acceptObserved(keeping.state, { v: 1, runId, kind: 'delete', outcome }, this.#serverNow());
    else if (isOurs) keeping.state = acceptDeletionEnding(keeping.state, outcome, this.#serverNow());
    if (keeping.state.running === undefined) this.#turn(destination, keeping);
  }

  /** By plain facts, and by nothing the product worked out. */
  judgeDeletion({ destination, image, clusters }: Deletion): void {
    this.deletedAt.push(this.agenda.now);
    for (const cluster of this.clusters) {
      const known = clusters.find(({ cluster: name }) => name === cluster.name);
      const isAwaited = known !== undefined && known.isLost !== true;
      const keptSince = this.keepers.get(destination)?.since ?? this.agenda.now;
      const what = cluster.mournedBy(image, { isKnown: known !== undefined, isAwaited, keptSince }) ?? (known !== undefined && cluster.pins(image, isAwaited) ? `but it is pinned in ${cluster.name}` : undefined);
      if (what !== undefined) this.violations.push(`${destination} was deleted at ${new Date(this.agenda.now).toISOString()}, ${what}`);
    }
  }

  #serverNow(): number {
    return this.agenda.now + this.skewMs;
  }

  #hear(message: Message): void {
    const { to } = message;
    if ('claim' in message && message.claim.sources.length > 0 && !this.keepers.has(to)) this.keepers.set(to, this.#born(to));
    const keeping = this.keepers.get(to);
    if (keeping === undefined) return 'claim' in message ? this.cluster(message.claim.cluster)?.unheard(to) : undefined;
    const now = this.#serverNow();
    if ('claim' in message) keeping.state = acceptClaim(keeping.state, message.claim, now).state;
    else if ('release' in message) keeping.state = acceptRelease(keeping.state, message.release, now);
    else keeping.state = acceptResync(keeping.state, now);
    this.#heard(to, keeping);
  }

  #heard(destination: PlaceId, keeping: Keeping): void {
    if (keeping.state.running?.kind === 'delete') keeping.state = passRetryOn(keeping.state); // waits until the deletion has ended
    this.#stopUnwanted(destination, keeping);
    this.#turn(destination, keeping);
  }

  #stopUnwanted(destination: PlaceId, keeping: Keeping): void {
    if (!isUnwanted(keeping.state, this.#serverNow())) return;
    keeping.state = cancelDeletion(keeping.state);
    const task = this.tasks.get(destination);
    if (task instanceof RunningDeletion) task.cancel();
  }

  #born(destination: PlaceId): Keeping {
    const now = this.#serverNow();
    return { state: { ...revive({ v: 1, destination, taskId: `task/${destination}`, searchable: true }, now), edition: 2 }, startedAt: now, turn: 0, since: this.agenda.now };
  }

  /** The keeper's loop, until it waits for something. */
  #turn(destination: PlaceId, keeping: Keeping): void {
    keeping.turn += 1;
    for (let steps = 0; keeping.state.running === undefined; steps++) {
      if (steps > 50) throw new Error(`the keeper of ${destination} never rests: ${JSON.stringify(this.#step(keeping))}`);
      const step = this.#step(keeping, steps === 0 && this.chance.next() < 0.05); // now and then its history is full
      if (step.kind === 'wait') return this.#wake(destination, keeping, step.ms);
      if (step.kind === 'done') return void this.keepers.delete(destination);
      this.#perform(keeping, step);
    }
  }

  #step({ state, startedAt }: Keeping, isFull = false): Step {
    return nextStep(state, this.#serverNow(), { startedAt, events: 10, isFull, deletes: true, hears: true, minds: 'rules' });
  }

  #wake(destination: PlaceId, keeping: Keeping, ms: number): void {
    const { turn } = keeping;
    this.agenda.in(ms, () => {
      if (this.keepers.get(destination) === keeping && keeping.turn === turn) this.#turn(destination, keeping);
    });
  }

  #perform(keeping: Keeping, step: Exclude<Step, { kind: 'wait' | 'done' }>): void {
    const now = this.#serverNow();
    switch (step.kind) {
      case 'task':
        return step.operation === 'copy' ? this.#copy(keeping, step.task) : this.#delete(keeping, step.task);
      case 'answer':
        keeping.state = acceptAnswered(keeping.state);
        return;
      case 'look':
        if (step.what === 'tell') {
          for (const { cluster, image, report } of step.reports) this.report(cluster, image, report);
          keeping.state = acceptTold(keeping.state, step.reports);
        } else {
          const isSeen = this.cluster(step.wanted.cluster)?.isAlive === true;
          keeping.state = isSeen ? acceptSight(keeping.state, { digest: this.tags.get(keeping.state.destination) ?? 'missing' }, now) : acceptBlindness(keeping.state, now);
        }
        return;
      case 'renew':
        keeping.state = JSON.parse(JSON.stringify(compact(keeping.state, now))) as KeeperState;
        keeping.startedAt = now;
    }
  }

  #copy(keeping: Keeping, task: Copying): void {
    keeping.state = beginCopy(keeping.state, task, this.#serverNow());
    if (this.tasks.has(task.destination)) return this.#waitForOther(keeping);
    keeping.state = nameRun(keeping.state, this.#startCopy(task));
  }

  #startCopy(task: Copying, runId = this.#nextRun()): string {
    this.#asked.set(runId, task);
    const run = { runId };
    this.tasks.set(task.destination, run);
    const isDeaf = this.cluster(task.cluster)?.isAlive !== true;
    this.agenda.in(isDeaf ? 300_000 : this.chance.between(2_000, 900_000), () => this.#endCopy(run, task));
    return runId;
  }

  #delete(keeping: Keeping, task: Deletion): void {
    this.deletions.push(task);
    keeping.state = beginDeletion(keeping.state, task, this.#serverNow());
    if (this.tasks.has(task.destination)) return this.#waitForOther(keeping);
    keeping.state = nameRun(keeping.state, this.#startDeletion(task));
  }

  #startDeletion(task: Deletion, runId = this.#nextRun()): string {
    this.#asked.set(runId, task);
    const run = new RunningDeletion(runId, task, this);
    this.tasks.set(task.destination, run);
    run.start();
    return run.runId;
  }

  #nextRun(): string {
    return `run-${(this.#runs += 1)}`;
  }

  /** A run of somebody else is busy: the keeper asks again after an hour, unless it hears before. */
  #waitForOther(keeping: Keeping): void {
    const { destination } = keeping.state;
    this.agenda.in(3_600_000, () => {
      const { running } = keeping.state;
      if (this.keepers.get(destination) !== keeping || running === undefined || running.runId !== undefined) return;
      if (this.tasks.has(destination)) return this.#waitForOther(keeping);
      const lost = failed('timeout', { side: 'cluster' });
      keeping.state = running.kind === 'copy' ? acceptEnding(keeping.state, lost, this.#serverNow()) : acceptDeletionEnding(keeping.state, lost, this.#serverNow());
      this.#turn(destination, keeping);
    });
  }

  #endCopy(run: { readonly runId: string }, task: Copying): void {
    const { destination } = task;
    const { runId } = run;
    const outcome = this.#outcomeOf(task);
    if (this.tasks.get(destination) !== run) return; // Temporal does not know of it any more
    this.tasks.delete(destination);
    const report: Report = outcome.result === 'failed' ? { state: 'failed', failure: outcome.failure } : { state: 'copied', outcome };
    for (const cluster of task.clusters) this.report(cluster, task.image, report);

    const keeping = this.keepers.get(destination);
    if (keeping === undefined) return;
    const isOurs = keeping.state.running?.runId === runId;
    const isTold = this.chance.next() < 0.95; // now and then only the end of the child comes
    if (isTold) keeping.state = acceptObserved(keeping.state, { v: 1, runId, kind: 'copy', outcome }, this.#serverNow());
    else if (isOurs) keeping.state = acceptEnding(keeping.state, outcome, this.#serverNow());
    else return;
    if (keeping.state.running === undefined) this.#turn(destination, keeping);
  }

  #outcomeOf(task: Copying): Outcome {
    const { destination, image, plan, cluster } = task;
    if (this.cluster(cluster)?.isAlive !== true) return { ...failed('unreachable', { side: 'cluster' }), plan };
    if (this.chance.next() < 0.1) return { ...failed('unreachable'), plan };
    const digest = contentOf(image);
    const isThere = this.tags.get(destination) === digest;
    this.tags.set(destination, digest);
    const result = isThere ? 'unchanged' : 'copied';
    return { v: 1, result, digest, sourceDigest: digest, strategy: 'all', platforms: ['linux/amd64'], missingPlatforms: [], bytes: 1000, mirroredAt: new Date(this.#serverNow()).toISOString(), source: image, plan };
  }

  report(cluster: string, image: ImageName, report: Report): void {
    const at = new Date(this.#serverNow()).toISOString();
    this.cluster(cluster)?.changePlace(image, (place) => recorded(place, { v: 1, image, destination: destinationOf(image), workflowId: 'task', report, at }));
  }

  cluster(name: string): ModelCluster | undefined {
    return this.clusters.find((cluster) => cluster.name === name);
  }
}

/** Which content an image has: all history long the same. */
export function contentOf(image: ImageName): Digest {
  return digestOf(/app-([a-f])/.exec(image)?.[1] ?? '0');
}

/** Where the rules of a history keep an image: worked out by hand, not by the code under test. */
export function copyOf(image: ImageName): ImageName {
  return image.replace('docker.io/', 'registry.example.com/mirror/') as ImageName;
}

/** Which image a name stands for: itself, or what it is a copy of. */
export function imageOf(name: ImageName): ImageName {
  return name.replace('registry.example.com/mirror/', 'docker.io/') as ImageName;
}

export function destinationOf(image: ImageName): PlaceId {
  const ref = parseImageRef(copyOf(image));
  if (ref === undefined) throw new Error(`not an image: ${image}`);
  return placeIdentity(ref);
}
