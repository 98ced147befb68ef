import { isFresh, type Fact, type FactLifetimes } from '../domain/availability.js';
import type { Candidate } from '../domain/candidate.js';
import type { ImageName, PlaceId } from '../domain/image-ref.js';
import { passOver, type PassOverReason } from '../domain/pass-over.js';
import type { PlaceRecord } from '../domain/record.js';
import type { Pod } from '../domain/usage.js';
import type { Identity } from '../registry/registry.js';
import type { Deadline } from './deadline.js';
import type { Identities } from './identities.js';
import type { ConsideredPlace } from './pod-decision.js';
import { identitiesOf, type Prober } from './probe.js';
import { nameOfGrant } from './pull-secrets.js';

export interface PlaceDeps {
  readonly records: {
    at(place: PlaceId): readonly { readonly record: { readonly image: ImageName }; readonly place: PlaceRecord }[];
    fact(place: PlaceId): Fact | undefined;
    holder(destination: PlaceId): ImageName | undefined;
    isRetiring(place: PlaceId): boolean;
  };
  readonly identities: Pick<Identities, 'find'>;
  readonly prober: Pick<Prober, 'known' | 'ask'>;
  readonly lifetimes: FactLifetimes;
}

export interface PlaceCircumstances {
  readonly pod: Pod;
  /** false for a live Pod: places whose Secret it does not name are passed over */
  readonly mayAddSecrets: boolean;
  readonly deadline: Deadline;
  /** milliseconds since the epoch */
  readonly now: number;
}

/** A candidate on its way to a verdict: what is known of it grows while the review waits. */
export class Place {
  readonly candidate: Candidate;
  readonly #as: Identity;
  #fact: Fact | undefined;
  #asked = false;
  #passedOver: PassOverReason | undefined;
  #note: string | undefined;

  constructor(candidate: Candidate, as: Identity = [], fact?: Fact, passedOver?: PassOverReason, note?: string) {
    this.candidate = candidate;
    this.#as = as;
    this.#fact = fact;
    this.#passedOver = passedOver;
    this.#note = note;
  }

  get fact(): Fact | undefined {
    return this.#fact;
  }

  get isUsable(): boolean {
    return this.#passedOver === undefined;
  }

  async ask(prober: Pick<Prober, 'ask'>): Promise<void> {
    this.#asked = true;
    this.#fact = await prober.ask({ place: this.candidate.place, ref: this.candidate.ref, as: this.#as });
  }

  /** The Pod cannot be given what it needs to pull from here. */
  drop(why: string): void {
    this.#passedOver = 'SecretMissing';
    this.#note = why;
  }

  /** @param standing `late`: an earlier place was chosen, so that nobody waited for this one */
  report(standing: Standing): ConsideredPlace {
    const note = this.#note ?? (this.#isSilent ? (standing === 'late' ? 'not waited for: an earlier place was chosen' : 'no answer in time') : undefined);
    return {
      candidate: this.candidate,
      verdict: this.#verdict(standing),
      ...(this.#fact && { fact: this.#fact }),
      ...(this.#passedOver && { passedOver: this.#passedOver }),
      ...(note !== undefined && { note }),
    };
  }

  get #isSilent(): boolean {
    return this.#asked && this.#fact === undefined;
  }

  #verdict(standing: Standing): ConsideredPlace['verdict'] {
    if (!this.isUsable) return 'skipped';
    if (standing === 'chosen') return 'chosen';
    if (this.#fact === undefined) return this.#isSilent && standing !== 'late' ? 'unavailable' : 'unasked';
    return this.#fact.state === 'Available' ? 'unasked' : 'unavailable'; // available, but an earlier place was chosen
  }
}

/** Where a place stands beside the one that was chosen. */
export type Standing = 'early' | 'chosen' | 'late';

/** Finds out what is known of a place without asking it: credentials, records, recent probes. */
export async function consider(candidate: Candidate, circumstances: PlaceCircumstances, deps: PlaceDeps): Promise<Place> {
  const { pod } = circumstances;
  const isNamed = mayName(candidate, circumstances);
  const access = isNamed ? await circumstances.deadline.before(deps.identities.find(candidate.ref, candidate.secret, pod)) : { as: [] };
  const unusable = access === 'over' ? 'its secrets could not be read in time' : 'unusable' in access ? access.unusable : undefined;

  const passedOver = isRetiring(candidate, deps) ? 'Retiring' : passOver(candidate, {
    record: deps.records.at(candidate.place).find(({ record }) => record.image === candidate.image)?.place,
    holder: deps.records.holder(candidate.place),
    secret: !isNamed ? 'not-named' : unusable === undefined ? 'usable' : 'missing',
    platform: pod.platform,
  });
  if (passedOver !== undefined) return new Place(candidate, [], undefined, passedOver, passedOver === 'SecretMissing' ? unusable : undefined);

  const as = access === 'over' || 'unusable' in access ? [] : access.as;
  return new Place(candidate, as, deps.prober.known({ place: candidate.place, ref: candidate.ref, as }) ?? recordedFact(candidate, as, circumstances.now, deps));
}

/** The names of one digest share a copy and have a record each: whichever says that it goes is right. */
function isRetiring({ role, place }: Candidate, { records }: PlaceDeps): boolean {
  return role !== 'origin' && records.isRetiring(place);
}

function mayName(candidate: Candidate, { pod, mayAddSecrets }: PlaceCircumstances): boolean {
  const name = nameOfGrant(candidate, pod.namespace);
  return mayAddSecrets || name === undefined || pod.pullSecrets.includes(name);
}

function recordedFact({ place }: Candidate, as: Identity, now: number, { records, lifetimes }: PlaceDeps): Fact | undefined {
  const fact = records.fact(place);
  return fact !== undefined && isFresh(fact, lifetimes, now) && speaksFor(fact, as) ? fact : undefined;
}

/** A fact answers for its identity only: an open door for whoever holds it, a closed one for whoever holds nothing else. */
function speaksFor({ state, identity }: Fact, as: Identity): boolean {
  const ids = identitiesOf(as);
  return state === 'Available' ? ids.includes(identity) : ids.length === 1 && ids[0] === identity;
}
