/**
 * Writes the statuses of the rules: summaries of records, made by `api/report-*`, one write per change.
 */
import { isDeepStrictEqual } from 'node:util';
import { reportMirror, type MirrorFacts } from '../api/report-mirror.js';
import { reportMonitor } from '../api/report-monitor.js';
import { reportReplica, type ReplicaFacts } from '../api/report-replica.js';
import type { RuleFacts } from '../api/report.js';
import type { Cluster, Resource } from '../cluster/cluster.js';
import { roundMs } from '../domain/check-order.js';
import { refusalText, type Collision } from '../domain/collision.js';
import { mirrorAt } from '../domain/copy-policy.js';
import type { Pace } from '../domain/check-pace.js';
import { seesPod, matchUpstream } from '../domain/filter.js';
import { imageName, knownImageRef, type ImageName, type PlaceId } from '../domain/image-ref.js';
import { wantsImage, type Misfit } from '../domain/mirror.js';
import type { TrackedImage } from '../domain/monitor.js';
import { annotations } from '../domain/names.js';
import { readOriginals } from '../domain/original.js';
import { referenceOf } from '../domain/record-plan.js';
import { misfitOf, offeredReplicas } from '../domain/replica.js';
import type { ImageRecord, PlaceRecord } from '../domain/record.js';
import { isInForce, ruleText, type MirrorRule, type MonitorRule, type ReplicaRule, type Rule } from '../domain/rule.js';
import type { Pod } from '../domain/usage.js';
import { ruleReference } from './news.js';
import type { Takeover } from './import.js';
import type { Picture } from './reconcile.js';
import type { RegistryCheck } from './registry-check.js';
import type { SecretCheck } from './secret-check.js';

export interface ReportDeps {
  readonly cluster: Pick<Cluster, 'applyRuleStatus' | 'emitEvent'>;
  /** the resource a rule was made from, as last seen */
  readonly resource: (rule: Rule) => Pick<Resource, 'status' | 'otherWriters'> | undefined;
  readonly pods: () => Iterable<Pod>;
  readonly secrets: Pick<SecretCheck, 'problemsOf'>;
  readonly registries: Pick<RegistryCheck, 'look'>;
  readonly temporalConnected: () => boolean;
  /** how often a registry is asked on behalf of monitor rules */
  readonly paceOf: (host: string) => Pace;
  /** `temporal.shared` */
  readonly isConnected: boolean;
  /** takes over what v2 wrote, before it is replaced */
  readonly takeover?: Pick<Takeover, 'look'>;
}

/** @throws Failure of the first status that could not be written, after all others were */
export async function reportRules(picture: Picture, deps: ReportDeps): Promise<void> {
  const rerouted = reroutedPods(deps.pods());
  const results = await Promise.allSettled(picture.rules.map((rule) => reportRule(rule, picture, rerouted, deps)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function reportRule(rule: Rule, picture: Picture, rerouted: ReadonlyMap<string, number>, deps: ReportDeps): Promise<void> {
  const { status: previous, otherWriters = [] } = deps.resource(rule) ?? { status: undefined };
  if ((await deps.takeover?.look(rule, { status: previous, otherWriters }, picture.now)) === true) return;
  const { isDone, silent } = deps.registries.look(rule, wasReady(rule, previous));
  const facts = { secrets: await deps.secrets.problemsOf(rule), silent, passDone: isDone, previous, now: picture.now };
  const status = statusOf(rule, facts, picture, rerouted, deps);
  // written all the same where somebody else did: it is ours again from then on
  if (otherWriters.length === 0 && isDeepStrictEqual(plain(status), plain(previous))) return;
  await deps.cluster.applyRuleStatus(rule.id, status);
  if (conditionOf(status, 'Ready')?.reason !== conditionOf(previous, 'Ready')?.reason) await warn(rule, facts.secrets, deps);
}

type Facts = Omit<RuleFacts, 'rule'>;

function statusOf(rule: Rule, facts: Facts, picture: Picture, rerouted: ReadonlyMap<string, number>, deps: ReportDeps): object {
  switch (rule.type) {
    case 'mirror':
      return reportMirror({ ...facts, rule, ...mirroredImages(rule, picture), temporalConnected: deps.temporalConnected(), isConnected: deps.isConnected });
    case 'replica':
      return reportReplica({ ...facts, rule, ...replicatedUse(rule, picture), rerouted: rerouted.get(reroutingKey(`${rule.id.kind}/${rule.id.name}`, rule.id.namespace)) ?? 0 });
    case 'monitor':
      return reportMonitorRule(rule, facts, picture, deps);
  }
}

function reportMonitorRule(rule: MonitorRule, facts: Facts, { tracked }: Picture, { paceOf }: ReportDeps): object {
  const images = tracked.filter(({ by }) => by.includes(rule.id.name));
  return reportMonitor({ ...facts, rule, images: images.map(monitoredImage), cycleMs: roundMs(images, tracked, paceOf) });
}

/** What the rule wants now, whether it gets it or not, and what of it is still retained. */
function mirroredImages(rule: MirrorRule, picture: Picture): Pick<MirrorFacts, 'images' | 'collisions'> {
  const { plan, records } = picture;
  const collisions = collisionsOf(rule, picture);
  const misfits = plan.misfits?.filter((misfit) => misfit.rule === rule.id.uid) ?? [];
  const wanted = new Map<ImageName, ImageName[]>([...collisions, ...misfits].map(({ image }) => [image, []]));
  for (const copy of plan.wanted.values()) {
    if (copy.rules.some(({ uid }) => uid === rule.id.uid)) wanted.set(copy.image, [...(wanted.get(copy.image) ?? []), referenceOf(copy.destination)]);
  }
  const byImage = new Map(records.map((record) => [record.image, record]));
  const retained = records.filter(({ image, places }) => !wanted.has(image) && places.some((place) => isCopyOf(rule, place))).map(({ image }) => image);

  const images = [...wanted.keys(), ...retained].map((image) => {
    const record = byImage.get(image);
    const known = record?.places.filter((place) => wanted.get(image)?.includes(place.reference) ?? isCopyOf(rule, place)) ?? [];
    const leaving = record === undefined || record.unusedSince !== undefined ? [] : record.places.filter((place) => isCopyOf(rule, place) && !plan.wanted.has(place.reference as string as PlaceId));
    const unknown = (wanted.get(image) ?? []).filter((reference) => !known.some((place) => place.reference === reference));
    return {
      image,
      places: [...known, ...unknown.map((reference) => ({ reference })), ...collisions.filter((collision) => collision.image === image).map((collision) => refusedPlace(collision, picture.now)), ...misfits.filter((misfit) => misfit.image === image).map((misfit) => nowhere(misfit, picture.now))],
      ...(record?.unusedSince === undefined ? {} : { unusedSince: record.unusedSince }),
      ...(record?.expiresAt === undefined ? {} : { expiresAt: record.expiresAt }),
      ...(leaving.length === 0 ? {} : { leaving }),
      ...originOf(record),
    };
  });
  return { images, collisions };
}

/** No keeper is asked for it, so none has failed: it is told as if one had. */
function refusedPlace(collision: Collision, now: number): PlaceRecord {
  return { reference: referenceOf(collision.destination), failure: { code: 'conflict', message: refusalText(collision), since: new Date(now).toISOString(), attempts: 0 } };
}

/** It has no name there, so its mirror stands for it. */
function nowhere({ at, problem }: Misfit, now: number): PlaceRecord {
  return { reference: at as ImageName, failure: { code: 'invalid', message: problem.slice(0, longestMessage), since: new Date(now).toISOString(), attempts: 0 } };
}

const longestMessage = 256;

function originOf(record: ImageRecord | undefined): { readonly origin?: PlaceRecord } {
  const origin = record?.places.find(({ role }) => role === 'origin');
  return origin === undefined ? {} : { origin };
}

function isCopyOf(rule: MirrorRule, place: PlaceRecord): boolean {
  return place.role === 'mirror' && place.mirroredAt !== undefined && place.rule === ruleText(rule.id);
}

/** Of images that this rule wants there: another rule may want others at the same destination. */
function collisionsOf(rule: MirrorRule, { plan, used }: Picture): readonly Collision[] {
  if (plan.collisions.length === 0 || !isInForce(rule)) return [];
  const refused = new Set(plan.collisions.map(({ image }) => image));
  const wanted = new Set(used.filter((image) => refused.has(imageName(image.ref)) && wantsImage(rule, image)).map(({ ref }) => imageName(ref)));
  return plan.collisions.filter(({ image, destination }) => wanted.has(image) && mirrorAt(rule, knownImageRef(image), referenceOf(destination)) !== undefined);
}

function replicatedUse(rule: ReplicaRule, { used, records }: Picture): Pick<ReplicaFacts, 'images' | 'pods' | 'places' | 'unjoinable'> {
  const matched = used.filter(({ ref, users }) => matchUpstream(rule, ref) !== undefined && users.some((pod) => seesPod(rule, pod)));
  const images = new Set(matched.map(({ ref }) => imageName(ref)));
  const declared = new Set(matched.flatMap(({ ref }) => offeredReplicas(ref, [rule]).places.map(({ place }) => referenceOf(place))));
  const places = records.filter(({ image }) => images.has(image)).flatMap((record) => record.places.filter(({ reference, role }) => role !== 'mirror' && declared.has(reference)));
  const unjoinable = matched.map(({ ref }) => misfitOf(ref, rule)).filter((misfit) => misfit !== undefined).sort();
  return { images: matched.length, pods: matched.reduce((sum, { pods }) => sum + pods, 0), places, unjoinable };
}

function monitoredImage({ image, original, unusedSince, seen = {} }: TrackedImage): Parameters<typeof reportMonitor>[0]['images'][number] {
  const { state, checkedAt, checkFailure } = seen;
  return { image, original, unusedSince, state, checkedAt, checkFailure };
}

/** How many Pods each rule sent elsewhere. The annotation says `<Kind>/<name>`: a namespaced rule is one of the Pod's own namespace. */
function reroutedPods(pods: Iterable<Pod>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const pod of pods) {
    const rules = new Set(readOriginals(pod.annotations[annotations.rewrittenBy] ?? '{}')?.values());
    for (const rule of rules) {
      const key = reroutingKey(rule, rule.startsWith('Cluster') ? undefined : pod.namespace);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

function reroutingKey(rule: string, namespace: string | undefined): string {
  return namespace === undefined ? rule : `${namespace} ${rule}`;
}

/** Why a rule is not in force is told on the rule, as in v2. */
async function warn(rule: Rule, secrets: RuleFacts['secrets'], { cluster }: ReportDeps): Promise<void> {
  const problem = rule.problems.find(({ disables }) => disables === 'rule');
  const missing = secrets.find((item) => item.problem === 'missing');
  const told = problem ?? (missing && { reason: 'CredentialMissing', message: `secret ${missing.secret.namespace}/${missing.secret.name} not found` });
  if (told === undefined) return;
  await cluster.emitEvent({ regarding: ruleReference(rule.id), type: 'Warning', action: 'ReconcileSkipped', reason: told.reason, note: told.message });
}

interface ReadCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly observedGeneration?: number;
}

function conditionOf(status: unknown, type: string): ReadCondition | undefined {
  const { conditions = [] } = (status ?? {}) as { conditions?: readonly ReadCondition[] };
  return conditions.find((condition) => condition.type === type);
}

/** Of this generation, as the status says: whoever led before has asked the registries. */
function wasReady({ generation }: Rule, previous: unknown): boolean {
  const ready = conditionOf(previous, 'Ready');
  return ready?.status === 'True' && ready.observedGeneration === generation;
}

/** As the API server would give it back: without what is undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}
