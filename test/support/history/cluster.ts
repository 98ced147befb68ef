/**
 * One cluster of a history: its Pods, its rule, its records, and a manager that plans over them as the watchers do.
 * What is decided is decided by the domain; what is asked about it is answered from the plain facts kept here.
 */
import { definedOnly, emptyRecord, mergedRecord, withPart, withParts, type StoredRecord } from '../../../src/cluster/memory/records.js';
import { partOf } from '../../../src/cluster/ownership.js';
import { emptyLedger, type Ledger } from '../../../src/domain/budget.js';
import { claimOf, type Claim } from '../../../src/domain/claim.js';
import { knownImageRef, placeIdentity, type ImageName, type PlaceId } from '../../../src/domain/image-ref.js';
import { planMirrors, type MirrorPlan, type WantedCopy } from '../../../src/domain/mirror.js';
import { annotations } from '../../../src/domain/names.js';
import { planRecords, referenceOf } from '../../../src/domain/record-plan.js';
import type { ImageRecord, PlaceRecord } from '../../../src/domain/record.js';
import type { MirrorRule } from '../../../src/domain/rule.js';
import type { Release } from '../../../src/domain/task.js';
import { UsageView } from '../../../src/views/usage.js';
import { imagesInUse, pulledCopies, recordedImages } from '../../../src/watchers/picture.js';
import { aMirrorRule, aPod, brokenFilter } from '../builders.js';
import { hours } from '../keeper.js';
import { answerMs } from './deletion.js';
import { copyOf, imageOf, type Model } from './model.js';

/** What the administrator of a cluster wrote; plain, so that a test can judge by it. */
export interface RuleFacts {
  readonly selects: RegExp;
  readonly isSuspended: boolean;
  readonly cleanup: boolean;
  readonly retentionMs: number;
  /** its filter cannot be read */
  readonly isBroken?: boolean;
  /** it is being deleted with all it copied */
  readonly isPurged?: boolean;
}

/** Somebody's word that an image stays. */
interface PinFacts {
  readonly since: number;
  readonly endsAt: number;
}

/** A Pod, by what it was asked for and what it pulls. */
interface PodFacts {
  readonly asked: ImageName;
  readonly pulls: ImageName;
  readonly since: number;
}

interface Planned {
  readonly plan: MirrorPlan;
  readonly released: readonly PlaceId[];
  readonly purged: ReadonlySet<PlaceId>;
  /** each claim as text, without its generation */
  readonly claims: ReadonlyMap<PlaceId, string>;
}

export type Message = { readonly to: PlaceId; readonly claim: Claim } | { readonly to: PlaceId; readonly release: Release } | { readonly to: PlaceId; readonly resync: true };

const platforms = [{ os: 'linux', architecture: 'amd64' }];
const retentionMs = 30 * 24 * hours;
const skip = { labels: [], annotations: [], namespaces: [] };
const ttlMs = 72 * hours;
const renewMs = 19 * hours;
/** A claim that nobody heard is repeated. */
const repeatMs = 15 * 60_000;
const silenceMs = 30_000;
/** From a change to the pass that sees it. */
const longestPassMs = 4_000;
/** A message takes seconds, and a deletion that has begun to send is not called back: contract, 4.8. */
const graceMs = 120_000;
/** Who pins a copy while its deletion waits for the last word is not heard: contract, 4.8. */
const pinGraceMs = answerMs + 60_000;
/** A lease that was about to be renewed when its cluster fell silent. */
const leastLeaseMs = ttlMs - renewMs - 11 * hours;
/** That a history puts clocks out by. */
const mostSkewMs = 1 * hours;
/** Two days on a shared mirror, less what clocks may be off and what a message takes. */
const leastSharedMs = 48 * hours - 3 * hours;

export class ModelCluster {
  readonly pods = new Map<string, PodFacts>();
  rule: RuleFacts | undefined;
  /** its manager works; its Pods come and go all the same */
  isAlive = true;
  silentSince: number | undefined;
  /** somebody said that it is gone for good: while it is silent nobody waits for it */
  isForgotten = false;
  /** how far its clock is off: milliseconds */
  skewMs = 0;
  /** what it has deleted; kept in the cluster, so it outlives its manager */
  ledger: Ledger = emptyLedger;
  readonly #model: Model;
  readonly #usage = new UsageView({ v1ProxyPort: 0 });
  readonly #records = new Map<ImageName, StoredRecord>();
  readonly #sent = new Map<PlaceId, { readonly content: string; readonly at: number }>();
  /** as of the queue of claims */
  #heardSinceLoss: Set<PlaceId> | undefined;
  readonly #mute = new Map<PlaceId, number>();
  readonly #lastUse = new Map<ImageName, number>();
  readonly #pins = new Map<ImageName, PinFacts>();
  /** what was used last before then may go without waiting */
  #purgedUntil = 0;
  #ruleSince = 0;
  /** when its manager fell silent */
  #wasRuled = false;
  #heardSince = 0;
  #term = 1;
  #said = 0;
  #isPassDue = false;
  /** what was planned of the picture as it is; only time can change what follows from it */
  #planned: Planned | undefined;

  constructor(
    readonly name: string,
    model: Model,
  ) {
    this.#model = model;
  }

  // --- what people and machines do to it

  createPod(name: string, asked: ImageName, pulls: ImageName): void {
    this.pods.set(name, { asked, pulls, since: this.#model.agenda.now });
    const pod = aPod({ name, images: { web: pulls }, annotations: asked === pulls ? {} : this.#annotationsOf(asked) });
    this.#usage.apply({ type: 'put', key: pod.key, object: pod });
    this.changed();
  }

  deletePod(name: string): void {
    this.#noteUse();
    this.pods.delete(name);
    this.#usage.apply({ type: 'gone', key: `shop/${name}` });
    this.changed();
  }

  change(rule: RuleFacts | undefined): void {
    this.#noteUse();
    this.#ruleSince = this.#model.agenda.now;
    if (this.rule?.isPurged === true) this.#purgedUntil = this.#model.agenda.now;
    this.rule = rule;
    this.changed();
  }

  /** The manager is gone, and what it remembered with it. */
  fallSilent(): void {
    this.#noteUse();
    if (this.isAlive) {
      this.silentSince = this.#model.agenda.now;
      this.#wasRuled = this.rule !== undefined;
    }
    this.isAlive = false;
    this.#sent.clear();
    this.#heardSinceLoss = undefined;
    this.#mute.clear();
  }

  /** Silent for so many milliseconds. */
  beAway(ms: number): void {
    if (!this.isAlive) return;
    this.fallSilent();
    this.#model.agenda.in(ms, () => {
      if (!this.isAlive) this.comeBack();
    });
  }

  /** Temporal is another one: everything is said once more. */
  meetAgain(): void {
    if (!this.isAlive) return;
    this.#sent.clear();
    this.#heardSinceLoss = new Set();
    this.changed();
  }

  comeBack(): void {
    this.isAlive = true;
    this.isForgotten = false;
    this.silentSince = undefined;
    this.#heardSince = this.#model.agenda.now;
    this.#term += 1;
    this.changed();
  }

  /** Somebody annotates the record, if there is one. @param forMs milliseconds; Infinity is for ever */
  pin(image: ImageName, forMs: number): void {
    const { now } = this.#model.agenda;
    const endsAt = now + forMs;
    if (this.#annotate(image, endsAt === Infinity ? 'forever' : new Date(endsAt).toISOString())) this.#pins.set(image, { since: now, endsAt });
  }

  unpin(image: ImageName): void {
    this.#annotate(image, undefined);
    this.#pins.delete(image);
  }

  #annotate(image: ImageName, keepUntil: string | undefined): boolean {
    const stored = this.#records.get(image);
    if (stored === undefined) return false;
    this.#records.set(image, { ...stored, annotations: definedOnly({ ...stored.annotations, [annotations.keepUntil]: keepUntil }) });
    this.changed();
    return true;
  }

  deleteRecord(image: ImageName): void {
    this.#records.delete(image);
    this.#pins.delete(image); // the pin was written on it
    this.#planned = undefined;
    this.changed();
  }

  // --- what is so, by plain facts

  /**
   * What is lost here with the copy of an image: a Pod pulls from it, or a rule wants it for an image in use. What
   * has only just begun may be overlooked; so may a cluster that nobody has heard of since its lease ran out, what
   * begins in one that cannot speak and that nobody waits for, and one where nothing tells that the name is that of a copy.
   *
   * @param isKnown it was asked
   * @param keptSince a cluster that fell silent before, or soon after, could not tell this keeper that a Pod of its own names the copy
   * @param isAwaited its lease, and the retention after it, is not over: contract, 4.8
   * @returns undefined when nothing is
   */
  mournedBy(image: ImageName, { isKnown, isAwaited, keptSince }: { readonly isKnown: boolean; readonly isAwaited: boolean; readonly keptSince: number }): string | undefined {
    const { agenda: { now }, isShared } = this.#model;
    if (this.isForgotten && !this.isAlive) return undefined;
    if (this.silentSince !== undefined && now - this.silentSince > leastLeaseMs) return undefined;
    const since = this.#usedSince(image);
    if (!isAwaited && this.silentSince !== undefined && (since ?? 0) >= this.silentSince) return undefined;
    const isUnheard = this.silentSince !== undefined && this.silentSince - keptSince < repeatMs + graceMs;
    if (!isKnown && (isUnheard || this.#takesForForeign(image))) return undefined;
    if (since !== undefined && now - Math.max(since, this.#heardSince) > graceMs) return `but ${this.name} uses it since ${new Date(since).toISOString()}`;
    const lastUse = this.#lastUse.get(image) ?? 0;
    const unusedMs = now - lastUse; // what has only just begun may be overlooked here, too
    const { lostAt, clusters } = this.#model;
    // of those who could tell its keeper so: one that has begun since knows of no loss
    const isForgotten = lostAt > lastUse && !clusters.some((cluster) => cluster.isAlive && cluster.isRecorded(image) && cluster.#heardSince < lostAt);
    return isShared && !isForgotten && !this.#purges(image) && unusedMs < leastSharedMs ? `but ${this.name} used it ${Math.round(unusedMs / hours)} hours ago` : undefined;
  }

  /**
   * Whether somebody pinned the image here. As for uses: a pin of just now may be overlooked, and that of a cluster
   * that does not answer after its lease and the retention. One that is about to end may have ended by a clock that is
   * off.
   *
   * @param isAwaited as above
   */
  pins(image: ImageName, isAwaited: boolean): boolean {
    const { now } = this.#model.agenda;
    const pin = this.#pins.get(image);
    if (pin === undefined || (this.silentSince !== undefined && (!isAwaited || now - this.silentSince > leastLeaseMs))) return false;
    return now - pin.since > pinGraceMs && pin.endsAt > now + mostSkewMs;
  }

  /** Its rule is deleted with all it copied, or was, and nobody there has wanted the image since: what it used a moment ago may go. */
  #purges(image: ImageName): boolean {
    return this.rule?.isPurged === true || this.#purgedUntil > (this.#lastUse.get(image) ?? 0);
  }

  /** By its own clock. */
  get now(): number {
    return this.#model.agenda.now + this.skewMs;
  }

  /** No rule its manager knew, no record and no Pod that was sent there: whoever writes the name of a copy here may as well have no kuik. */
  #takesForForeign(image: ImageName): boolean {
    const wasSent = [...this.pods.values()].some(({ asked, pulls }) => pulls === copyOf(image) && asked !== pulls);
    const isRuled = this.isAlive ? this.rule !== undefined : this.#wasRuled;
    return !isRuled && !wasSent && !this.isRecorded(image);
  }

  /** Its record tells of the copy. */
  isRecorded(image: ImageName): boolean {
    return this.record(image)?.places.some(({ reference, role }) => reference === copyOf(image) && role === 'mirror') === true;
  }

  #usedSince(image: ImageName): number | undefined {
    const wants = this.rule !== undefined && !this.rule.isSuspended && this.rule.isPurged !== true && this.rule.isBroken !== true && this.rule.selects.test(image);
    const pulling = [...this.pods.values()].filter(({ pulls }) => pulls === copyOf(image)).map(({ since }) => since);
    const asking = [...this.pods.values()].filter(({ asked, pulls }) => wants && (asked === image || pulls === image)).map(({ since }) => Math.max(since, this.#ruleSince));
    return [...pulling, ...asking].sort((a, b) => a - b)[0];
  }

  /** Nobody keeps the destination of a claim. */
  unheard(destination: PlaceId): void {
    this.#sent.delete(destination);
    this.#model.agenda.in(repeatMs, () => this.beat());
  }

  /** Before anything changes: what is in use now was in use until now, as far as anybody here can tell. */
  #noteUse(): void {
    if (!this.isAlive) return;
    const images = new Set([...this.pods.values()].map(({ asked }) => imageOf(asked)));
    for (const image of images) if (this.#isSeenToUse(image) && !this.#takesForForeign(image)) this.#lastUse.set(image, this.#model.agenda.now);
  }

  /** What begins and ends between two passes nobody sees. */
  #isSeenToUse(image: ImageName): boolean {
    const since = this.#usedSince(image);
    return since !== undefined && this.#model.agenda.now - since > longestPassMs;
  }

  /** Where the webhook may send a Pod: a copy the record tells of, that is not about to go. */
  hasCopy(image: ImageName): boolean {
    const place = this.record(image)?.places.find(({ reference }) => reference === copyOf(image));
    return place?.role === 'mirror' && place.mirroredAt !== undefined && place.retiringSince === undefined;
  }

  record(image: ImageName): ImageRecord | undefined {
    const stored = this.#records.get(image);
    return stored && mergedRecord(stored);
  }

  // --- what its manager does

  /** Level-triggered: many changes are one pass. */
  changed(): void {
    this.#planned = undefined;
    this.#seeAgain();
  }

  #seeAgain(): void {
    if (this.#isPassDue) return;
    this.#isPassDue = true;
    this.#model.agenda.in(this.#model.chance.between(500, longestPassMs), () => {
      this.#isPassDue = false;
      this.#planned = undefined;
      if (this.isAlive) this.#pass();
    });
  }

  /** Now and then without any change. */
  beat(): void {
    if (this.isAlive) this.#pass();
  }

  /** @returns false when nobody was there to write it */
  changePlace(image: ImageName, change: (place: PlaceRecord) => PlaceRecord): boolean {
    if (!this.isAlive) return false;
    const stored = this.#records.get(image);
    if (stored === undefined) return true;
    const reference = copyOf(image);
    const before = mergedRecord(stored).places.find((place) => place.reference === reference) ?? { reference };
    this.#records.set(image, withPart(stored, 'kuik-mirror', partOf(change(before), 'kuik-mirror')));
    this.#planned = undefined;
    return true;
  }

  picture() {
    const rules = this.#rules();
    const records = [...this.#records.values()].map(mergedRecord);
    const used = imagesInUse(this.#usage, { skip, namespaceLabels: () => ({}) });
    const pods = [...this.#usage.pods()].map((pod) => ({ pod, images: this.#usage.imagesOf(pod) }));
    return { pods, used, rules, records, settings: this.#settings() };
  }

  #annotationsOf(asked: ImageName): Record<string, string> {
    return { [annotations.originalImages]: JSON.stringify({ web: asked }), [annotations.rewrittenBy]: JSON.stringify({ web: `ClusterImageSetMirror/${this.name}` }) };
  }

  #forget(image: ImageName, reference: ImageName): void {
    const stored = this.#records.get(image);
    if (stored !== undefined) this.#records.set(image, withPart(stored, 'kuik-mirror', { reference }));
  }

  #pass(): void {
    const planned = (this.#planned ??= this.#plan());
    this.#speak(planned);
    this.#askSilent(planned.plan);
    const hasUnused = [...this.#records.values()].some(({ usage }) => usage?.unusedSince !== undefined);
    if (hasUnused) this.#planned = undefined; // its end comes by itself
  }

  #plan(): Planned {
    const { used, rules, records, settings } = this.picture();
    const { isConnected } = settings;
    const podsPulling = (place: PlaceId): number => this.#usage.podsAt(place).length;
    const plan = planMirrors({ used, rules, records, podsPulling, pulled: pulledCopies(this.#usage, rules), settings });
    const known = new Set(records.flatMap(({ places }) => places.filter(({ mirroredAt }) => mirroredAt !== undefined).map(({ reference }) => reference)));
    const recorded = recordedImages(used, rules, (ref) => known.has(referenceOf(placeIdentity(ref))));
    const { apply, remove, forgotten, released, purged } = planRecords({ used: recorded, plan, rules, records, retentionMs, isConnected, now: this.now });

    for (const { image, reference } of forgotten) this.#forget(image, reference);
    for (const usage of apply) {
      const stored = this.#records.get(usage.image) ?? emptyRecord(usage.image, `uid-${usage.image}`);
      if (JSON.stringify(stored.usage) !== JSON.stringify(usage)) this.#seeAgain();
      this.#records.set(usage.image, withParts({ ...stored, usage }, 'kuik-usage', usage.places.map((place) => partOf(place, 'kuik-usage'))));
    }
    for (const image of remove) this.#records.delete(image);
    const claims = new Map([...plan.wanted].map(([destination, wish]) => [destination, JSON.stringify(this.#claim(wish, 0, false))]));
    return { plan, released, purged, claims };
  }

  #speak({ plan: { wanted }, released, purged, claims }: Planned): void {
    const { now } = this.#model.agenda;
    for (const [destination, wish] of wanted) {
      const content = claims.get(destination) ?? '';
      const last = this.#sent.get(destination);
      const isRenewal = last?.content === content && now - last.at >= renewMs;
      if (last?.content === content && !isRenewal) continue;
      this.#sent.set(destination, { content, at: now });
      this.#model.send(this, { to: destination, claim: { ...this.#claim(wish, this.#generation(), isRenewal), ...this.#anew(destination) } });
    }
    const ours = [...this.#sent].filter(([, { content }]) => content !== 'released' && content !== 'purged').map(([destination]) => destination);
    for (const destination of new Set([...ours, ...released])) {
      const content = purged.has(destination) ? 'purged' : 'released';
      if (wanted.has(destination) || this.#sent.get(destination)?.content === content) continue;
      this.#sent.set(destination, { content, at: now });
      this.#model.send(this, { to: destination, release: { v: 1, cluster: this.name, generation: this.#generation(), ...(content === 'purged' ? { purge: true } : {}), ...this.#anew(destination) } });
    }
  }

  #anew(destination: PlaceId): { readonly anew?: true } {
    const isFirst = this.#heardSinceLoss?.has(destination) === false;
    this.#heardSinceLoss?.add(destination);
    return isFirst ? { anew: true } : {};
  }

  /** As the watchers do: a record that stays silent about a wanted copy has its keeper asked. */
  #askSilent({ wanted }: MirrorPlan): void {
    const { now } = this.#model.agenda;
    for (const { destination, image, sources } of wanted.values()) {
      if (sources.length === 0) continue;
      const place = this.record(image)?.places.find(({ reference }) => reference === referenceOf(destination));
      const speaks = place !== undefined && (place.workflowId !== undefined || place.mirroredAt !== undefined || place.failure !== undefined);
      if (speaks) this.#mute.delete(destination);
      else if (now - (this.#mute.get(destination) ?? now) >= silenceMs) this.#model.send(this, { to: destination, resync: true });
      if (!speaks && !this.#mute.has(destination)) this.#mute.set(destination, now);
    }
  }

  #claim(wish: WantedCopy, generation: number, renewal: boolean): Claim {
    return claimOf(wish, { cluster: this.name, generation, renewal, ttlMs, connected: this.#model.isShared });
  }

  #settings() {
    return { platforms, retentionMs, isConnected: this.#model.isShared };
  }

  #generation(): number {
    return this.#term * 1_000_000_000 + (this.#said += 1);
  }

  #rules(): MirrorRule[] {
    if (this.rule === undefined) return [];
    const { selects, isSuspended, cleanup, retentionMs, isBroken = false, isPurged = false } = this.rule;
    const leaving = isPurged ? { deletedAt: new Date(this.#ruleSince).toISOString(), purge: true } : {};
    const mirrors = [{ shared: this.#model.isShared, cleanup: { enabled: cleanup, retentionMs } }];
    return [aMirrorRule({ name: this.name, images: { include: [selects] }, suspended: isSuspended, problems: isBroken ? [brokenFilter] : [], mirrors, ...leaving })];
  }
}

/** A name as the API server would give it back. */
export function nameOf(text: string): ImageName {
  const { host, path, tag } = knownImageRef(text);
  return `${host}/${path}:${tag}` as ImageName;
}
