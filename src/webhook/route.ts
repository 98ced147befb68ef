/**
 * Decides where the containers of a Pod pull from. Admission and `kuik explain` call the same function, so what is
 * explained is what was decided. The choice itself is `domain/route`; here it gets its facts:
 *
 * 1. rank the candidates of each image, and pass over those that must not be used;
 * 2. look up what is known with the credentials this Pod would pull with;
 * 3. ask `route`; while it wants to know more, probe what it names until it can choose or the time is over;
 * 4. have the Pod given the Secret of the place; if that fails, choose again without the place.
 */
import type { AvailabilityState } from '../domain/availability.js';
import { candidates, offerTo, type Candidate, type Offer } from '../domain/candidate.js';
import { imageName, type PlaceId } from '../domain/image-ref.js';
import type { MirrorPrefixes } from '../domain/mirror-prefix.js';
import { optOutOf, type SkipSettings } from '../domain/opt-out.js';
import { route, settle, type Decision, type RouteCircumstances } from '../domain/route.js';
import type { Rule } from '../domain/rule.js';
import type { Pod, Usage } from '../domain/usage.js';
import { originOf } from '../domain/v1-proxy.js';
import type { Clock } from './clock.js';
import { Deadline } from './deadline.js';
import { Place, consider, type PlaceDeps } from './place.js';
import type { ConsideredPlace, PodDecision, SkipReason, UsageDecision } from './pod-decision.js';
import type { Granted, PullSecrets } from './pull-secrets.js';

export interface RouteSettings {
  /** `routing.activeCheck.deadline`, milliseconds */
  readonly deadlineMs: number;
  readonly rewriteOnNever: boolean;
  readonly honorPrioritiesOnAlways: boolean;
  readonly pinDigests: boolean;
  readonly v1ProxyPort: number;
  readonly skip: SkipSettings;
}

/** Everything a decision reads, all of it in memory but the probes and Secrets. */
export interface RouteDeps extends PlaceDeps {
  readonly rules: { inForce(namespace: string): readonly Rule[] };
  /** of all rules, also those out of force */
  readonly prefixes: () => MirrorPrefixes;
  readonly namespaces: { labels(name: string): Readonly<Record<string, string>> };
  readonly pullSecrets: Pick<PullSecrets, 'grant'>;
  readonly settings: RouteSettings;
  readonly clock: Clock;
}

export interface RouteRequest {
  readonly usages: readonly Usage[];
  /** false for a live Pod: places whose Secret it does not name are passed over */
  readonly mayAddSecrets: boolean;
  /** writes nothing and answers the same */
  readonly isDryRun: boolean;
  /** milliseconds for everything */
  readonly deadlineMs: number;
}

/** A Secret that is being written when the time ends may still arrive: the API server waits a second longer than we do. */
const graceMs = 200;

/** Never rejects: a usage that cannot be decided is kept, with reason `Error`. */
export async function decidePod(pod: Pod, request: RouteRequest, deps: RouteDeps): Promise<PodDecision> {
  const skipped = whyLeftAlone(pod, deps);
  if (skipped !== undefined) return { skipped };

  const deadline = new Deadline(deps.clock, request.deadlineMs);
  const review: Review = { pod, request, deps, deadline, offer: offerTo(pod, deps.rules.inForce(pod.namespace), deps.prefixes()) };
  try {
    return { usages: await Promise.all(request.usages.map((usage) => decideUsage(usage, review).catch((error: unknown) => undecided(usage, error)))) };
  } finally {
    deadline.clear();
  }
}

interface Review {
  readonly pod: Pod;
  readonly request: RouteRequest;
  readonly deps: RouteDeps;
  readonly deadline: Deadline;
  readonly offer: Offer;
}

function whyLeftAlone(pod: Pod, { settings, namespaces }: RouteDeps): SkipReason | undefined {
  if (pod.isStatic) return 'StaticPod';
  if (pod.isDeleted) return 'Deleted';
  return optOutOf(pod, settings.skip, namespaces.labels(pod.namespace));
}

async function decideUsage(usage: Usage, review: Review): Promise<UsageDecision> {
  const { settings } = review.deps;
  const origin = originOf(usage, review.pod, settings.v1ProxyPort);
  if (origin === undefined) return { usage, verdict: 'skip', reason: 'InvalidReference', places: [] };
  if (usage.pullPolicy === 'Never' && !settings.rewriteOnNever) return { usage, verdict: 'skip', reason: 'PullPolicyNever', places: [] };

  const ranked = candidates(origin.ref, review.offer, { pullPolicy: usage.pullPolicy, honorPrioritiesOnAlways: settings.honorPrioritiesOnAlways });
  return choose(usage, origin, await placesOf(ranked, origin, review), review);
}

async function placesOf(ranked: readonly Candidate[], { isV1 }: RouteCircumstances, review: Review): Promise<readonly Place[]> {
  const [only] = ranked;
  // nothing to choose from, so nothing to read: most Pods of most clusters
  if (ranked.length === 1 && only?.role === 'origin' && isV1 !== true) return [new Place(only)];

  const { pod, request, deadline, deps } = review;
  const circumstances = { pod, mayAddSecrets: request.mayAddSecrets, deadline, now: deps.clock.now() };
  return Promise.all(ranked.map((candidate) => consider(candidate, circumstances, deps)));
}

async function choose(usage: Usage, circumstances: RouteCircumstances, places: readonly Place[], review: Review): Promise<UsageDecision> {
  for (;;) {
    const decision = await firstAvailable(places, circumstances, review);
    if (decision.verdict === 'keep') return { usage, ...decision, places: reports(places, kept(decision, places)) };

    const { to } = decision;
    const granted = await grant(to, review);
    if (!('failed' in granted)) {
      const image = imageAt(to, places, review.deps.settings);
      return { usage, ...decision, image, places: reports(places, to), ...(granted.name !== undefined && { pullSecret: granted.name }) };
    }
    places.find(({ candidate }) => candidate === to)?.drop(granted.failed);
  }
}

/** Probes what can still change the choice, all at once, until the choice is clear or the time is over. */
async function firstAvailable(places: readonly Place[], circumstances: RouteCircumstances, { deps, deadline }: Review): Promise<Decision> {
  const usable = places.filter(({ isUsable }) => isUsable);
  const ranked = usable.map(({ candidate }) => candidate);
  const answers = new Map<PlaceId, Promise<void>>();
  for (;;) {
    const known = statesOf(usable);
    const found = route(ranked, known, circumstances);
    if (found.verdict !== 'ask') return found;

    const open = new Set(found.about.map(({ place }) => place));
    for (const place of usable) if (open.has(place.candidate.place) && !answers.has(place.candidate.place)) answers.set(place.candidate.place, place.ask(deps.prober));
    const next = Promise.race([...open].flatMap((place) => answers.get(place) ?? []));
    if ((await deadline.before(next)) === 'over') return settle(ranked, statesOf(usable), circumstances);
  }
}

function statesOf(places: readonly Place[]): ReadonlyMap<PlaceId, AvailabilityState> {
  return new Map(places.flatMap(({ candidate, fact }) => (fact === undefined ? [] : [[candidate.place, fact.state] as const])));
}

async function grant(to: Candidate, { pod, request, deps, deadline }: Review): Promise<Granted> {
  const granted = await deadline.before(deps.pullSecrets.grant(to, pod.namespace, request.isDryRun), graceMs);
  return granted === 'over' ? { failed: 'its secret could not be handed out in time' } : granted;
}

/** With `pinDigests`, what answered is what will run, wherever the tag moves meanwhile. */
function imageAt(to: Candidate, places: readonly Place[], { pinDigests }: RouteSettings): string {
  const digest = places.find(({ candidate }) => candidate === to)?.fact?.digest;
  return pinDigests && digest !== undefined && to.ref.digest === undefined ? `${imageName(to.ref)}@${digest}` : to.text;
}

/** A kept Pod pulls from its origin, unless nothing answered: then nobody knows. */
function kept({ reason }: Decision, places: readonly Place[]): Candidate | undefined {
  return reason === 'NoPlaceAvailable' ? undefined : places.find(({ candidate }) => candidate.role === 'origin')?.candidate;
}

function reports(places: readonly Place[], chosen: Candidate | undefined): ConsideredPlace[] {
  const chosenAt = places.findIndex(({ candidate }) => candidate === chosen);
  return places.map((place, at) => place.report(chosenAt === -1 || at < chosenAt ? 'early' : at === chosenAt ? 'chosen' : 'late'));
}

function undecided(usage: Usage, error: unknown): UsageDecision {
  return { usage, verdict: 'keep', reason: 'Error', places: [], error };
}
