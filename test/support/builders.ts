/**
 * Builders of domain values for tests: each takes what the test is about and fills in the rest.
 */
import type { AvailabilityState } from '../../src/domain/availability.js';
import { candidates, offerTo, type Candidate } from '../../src/domain/candidate.js';
import type { Digest } from '../../src/domain/digest.js';
import { imageName, knownImageRef, placeIdentity, type PlaceId } from '../../src/domain/image-ref.js';
import { mirrorPrefixes } from '../../src/domain/mirror-prefix.js';
import { podOf, templateOf } from '../../src/domain/pod.js';
import type { ImageRecord, PlaceRecord, PlaceRole } from '../../src/domain/record.js';
import type { ImageFilter, Matcher, Mirror, MirrorRule, MonitorRule, PodConditions, PodFilter, ReplicaRule, Rule, RuleId, RuleKind, Upstream } from '../../src/domain/rule.js';
import { parseSelector, type Selector } from '../../src/domain/selector.js';
import type { Pod, PodScope, PullPolicy, WorkloadKind } from '../../src/domain/usage.js';

// --- Pods

export interface SomePod {
  readonly namespace?: string;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** container name to image; `{ web: 'nginx:1.27' }` unless said */
  readonly images?: Readonly<Record<string, string>>;
  readonly initImages?: Readonly<Record<string, string>>;
  readonly pullPolicy?: PullPolicy;
  readonly pullSecrets?: readonly string[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** further fields of the Pod's spec */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** further fields of the Pod's metadata */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** A Pod as the API server sends it. */
export function aPodObject(pod: SomePod = {}): Record<string, unknown> {
  const containers = (images: Readonly<Record<string, string>>): object[] =>
    Object.entries(images).map(([name, image]) => ({ name, image, ...(pod.pullPolicy === undefined ? {} : { imagePullPolicy: pod.pullPolicy }) }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: pod.namespace ?? 'shop',
      name: pod.name ?? 'web-1',
      uid: `uid-of-${pod.name ?? 'web-1'}`,
      ...(pod.labels === undefined ? {} : { labels: pod.labels }),
      ...(pod.annotations === undefined ? {} : { annotations: pod.annotations }),
      ...pod.metadata,
    },
    spec: {
      containers: containers(pod.images ?? { web: 'nginx:1.27' }),
      ...(pod.initImages === undefined ? {} : { initContainers: containers(pod.initImages) }),
      ...(pod.pullSecrets === undefined ? {} : { imagePullSecrets: pod.pullSecrets.map((name) => ({ name })) }),
      ...(pod.nodeSelector === undefined ? {} : { nodeSelector: pod.nodeSelector }),
      ...pod.spec,
    },
  };
}

/** A Pod as decisions see it. */
export function aPod(pod: SomePod = {}): Pod {
  return podOf(aPodObject(pod));
}

/** A workload as the API server sends it; its template is that of the Pod. */
export function aWorkloadObject(kind: WorkloadKind, pod: SomePod = {}): Record<string, unknown> {
  const { namespace, name } = { namespace: 'shop', name: 'nightly', ...pod };
  const { metadata, spec } = aPodObject(pod) as { readonly metadata: object; readonly spec: object };
  const isJob = kind === 'Job' || kind === 'CronJob';
  const labels = { app: name, ...pod.labels };
  const template = { metadata: { labels, annotations: (metadata as SomePod).annotations }, spec: isJob ? { restartPolicy: 'Never', ...spec } : spec };
  const job = isJob ? { template } : { selector: { matchLabels: { app: name } }, template };
  return {
    apiVersion: isJob ? 'batch/v1' : 'apps/v1',
    kind,
    metadata: { namespace, name, labels: { of: 'workload' } },
    spec: kind === 'CronJob' ? { schedule: '0 3 * * *', suspend: true, jobTemplate: { spec: job } } : kind === 'StatefulSet' ? { ...job, serviceName: name } : job,
  };
}

/** The template of a workload as decisions see it. */
export function aTemplate(kind: WorkloadKind = 'CronJob', pod: SomePod = {}): Pod {
  return templateOf(kind, aWorkloadObject(kind, pod));
}

// --- rules

/** Patterns of a test are regular expressions; they match whole texts, as those of users do. */
export function matching(pattern: RegExp): Matcher {
  const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags);
  return (text) => whole.test(text);
}

/** Selectors of a test must be right. */
export function selecting(text: string): Selector {
  const selector = parseSelector(text);
  if (selector === undefined) throw new Error(`not a selector: ${text}`);
  return selector;
}

export interface SomeFilter {
  readonly include?: readonly RegExp[];
  readonly exclude?: readonly RegExp[];
}

/** Selects what the patterns say; without any argument everything, with an empty one nothing. */
export function anImageFilter(filter: SomeFilter = { include: [/.*/] }): ImageFilter {
  const { include = [], exclude = [] } = filter;
  return { selectsNone: include.length + exclude.length === 0, include: include.map(matching), exclude: exclude.map(matching) };
}

export interface SomeConditions {
  readonly labels?: readonly string[];
  readonly annotations?: readonly string[];
  readonly namespaces?: readonly RegExp[];
}

export function aPodFilter(filter: { readonly include?: SomeConditions; readonly exclude?: SomeConditions } = {}): PodFilter {
  return { include: conditions(filter.include), exclude: conditions(filter.exclude) };
}

function conditions({ labels = [], annotations = [], namespaces = [] }: SomeConditions = {}): PodConditions {
  return { labels: labels.map(selecting), annotations: annotations.map(selecting), namespaces: namespaces.map(matching) };
}

/** What the rules of every kind share; a name, and a namespace for namespaced kinds, make the identity. */
export interface SomeRule {
  readonly kind?: RuleKind;
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly priority?: number;
  readonly suspended?: boolean;
  readonly deletedAt?: string;
  readonly purge?: boolean;
  readonly pods?: Parameters<typeof aPodFilter>[0];
  readonly problems?: Rule['problems'];
}

export interface SomeMirrorRule extends SomeRule {
  readonly images?: SomeFilter;
  readonly mirrors?: readonly Partial<Mirror>[];
  readonly drift?: MirrorRule['drift'];
}

/** A mirror rule that selects every image and copies to `registry.example.com/mirror`, unless said. */
export function aMirrorRule(rule: SomeMirrorRule = {}): MirrorRule {
  return {
    ...base(rule, rule.namespace === undefined ? 'ClusterImageSetMirror' : 'ImageSetMirror'),
    type: 'mirror',
    images: anImageFilter(rule.images),
    mirrors: (rule.mirrors ?? [{}]).map(aMirror),
    drift: rule.drift ?? 'keep',
  };
}

function aMirror(mirror: Partial<Mirror>, index: number): Mirror {
  return {
    index,
    registry: 'registry.example.com',
    path: '/mirror',
    priority: 0,
    copy: 'auto',
    layout: 'path',
    referrers: 'auto',
    shared: false,
    cleanup: { enabled: false },
    ...mirror,
  };
}

/** An upstream of a test; its filter is given as patterns. */
export type SomeUpstream = Omit<Partial<Upstream>, 'images'> & { readonly images?: SomeFilter };

export interface SomeReplicaRule extends SomeRule {
  readonly upstreams?: readonly SomeUpstream[];
}

/** A replica rule whose upstreams match every image of their registry, unless said. */
export function aReplicaRule(rule: SomeReplicaRule = {}): ReplicaRule {
  return {
    ...base(rule, rule.namespace === undefined ? 'ClusterReplicatedImageSet' : 'ReplicatedImageSet'),
    type: 'replica',
    upstreams: (rule.upstreams ?? [{ registry: 'docker.io' }, { registry: 'replica.example.com' }]).map(anUpstream),
  };
}

function anUpstream({ images, ...upstream }: SomeUpstream, index: number): Upstream {
  return { index, registry: '', path: '', priority: 0, discarded: false, ...upstream, images: anImageFilter(images) };
}

export interface SomeMonitorRule extends SomeRule {
  readonly images?: SomeFilter;
  readonly unusedExpiryMs?: number;
}

export function aMonitorRule(rule: SomeMonitorRule = {}): MonitorRule {
  return { ...base(rule, 'ClusterImageSetAvailability'), type: 'monitor', images: anImageFilter(rule.images), unusedExpiryMs: rule.unusedExpiryMs ?? 0 };
}

function base(rule: SomeRule, kind: RuleKind): Omit<MonitorRule, 'type' | 'images' | 'unusedExpiryMs'> {
  return {
    id: ruleId(rule.kind ?? kind, rule),
    generation: 1,
    priority: rule.priority ?? 0,
    suspended: rule.suspended ?? false,
    ...(rule.deletedAt === undefined ? {} : { deletedAt: rule.deletedAt }),
    ...(rule.purge === undefined ? {} : { purge: rule.purge }),
    pods: aPodFilter(rule.pods),
    problems: rule.problems ?? [],
  };
}

function ruleId(kind: RuleKind, { name = 'main', namespace, uid }: SomeRule): RuleId {
  return { kind, name, uid: uid ?? `uid-of-${namespace ?? ''}-${kind}-${name}`, ...(namespace === undefined ? {} : { namespace }) };
}

/** A problem that puts a whole rule out of force. */
export const brokenFilter: Rule['problems'][number] = {
  reason: 'InvalidFilter',
  field: 'spec.filter.include[0].image',
  message: 'does not compile',
  disables: 'rule',
};

// --- candidates and what is known of them

/** The candidates rules offer a Pod for one image. */
export function candidatesFor(image: string, rules: readonly Rule[], options: { pod?: PodScope; pullPolicy?: PullPolicy; honorPrioritiesOnAlways?: boolean } = {}): readonly Candidate[] {
  const { pod = aPod(), pullPolicy = 'IfNotPresent', honorPrioritiesOnAlways = false } = options;
  return candidates(knownImageRef(image), offerTo(pod, rules, mirrorPrefixes(rules)), { pullPolicy, honorPrioritiesOnAlways });
}

/** Candidates by name, in order of rank: `origin`, names that start with `replica`, and mirrors. */
export function someCandidates(...names: readonly string[]): readonly Candidate[] {
  return names.map((name, index) => aCandidate(name, { index }));
}

export function aCandidate(name: string, changes: Partial<Candidate> = {}): Candidate {
  const ref = knownImageRef(textOf(name));
  return {
    place: placeIdentity(ref),
    ref,
    text: textOf(name),
    role: roleOf(name),
    image: imageName(knownImageRef(textOf('origin'))),
    priority: 0,
    itemPriority: 0,
    index: 0,
    ...changes,
  };
}

/** What is known of candidates, by the names of `someCandidates`. */
export function knowing(states: Readonly<Record<string, AvailabilityState | undefined>>): Map<PlaceId, AvailabilityState> {
  const known = new Map<PlaceId, AvailabilityState>();
  for (const [name, state] of Object.entries(states)) if (state !== undefined) known.set(aCandidate(name).place, state);
  return known;
}

/** What is known of places, by their texts. */
export function knowingPlaces(states: Readonly<Record<string, AvailabilityState>>): Map<PlaceId, AvailabilityState> {
  return new Map(Object.entries(states).map(([text, state]) => [placeIdentity(knownImageRef(text)), state]));
}

function textOf(name: string): string {
  return name === 'origin' ? 'docker.io/library/nginx:1.27' : `${name}.example.com/library/nginx:1.27`;
}

function roleOf(name: string): PlaceRole {
  if (name === 'origin') return 'origin';
  return name.startsWith('replica') ? 'replica' : 'mirror';
}

// --- records

export interface SomeRecord extends Partial<Omit<ImageRecord, 'image' | 'places'>> {
  readonly image?: string;
  readonly places?: readonly SomePlace[];
}

export type SomePlace = Partial<Omit<PlaceRecord, 'reference'>> & { readonly reference: string };

/** A record of an image in use by one Pod, unless said. */
export function aRecord({ image = 'nginx:1.27', places = [], ...rest }: SomeRecord = {}): ImageRecord {
  const name = imageName(knownImageRef(image));
  return { name: `record-of-${name}`, image: name, pods: 1, places: places.map(aPlace), ...rest };
}

export function aPlace({ reference, ...rest }: SomePlace): PlaceRecord {
  return { reference: imageName(knownImageRef(reference)), ...rest };
}

/** A place that holds a verified copy; without `digest`, one that v2 made. */
export function aCopy(reference: string, rest: Partial<PlaceRecord> = {}): PlaceRecord {
  return aPlace({ reference, role: 'mirror', mirroredAt: '2026-11-20T10:00:00Z', digest: `sha256:${'c'.repeat(64)}` as Digest, ...rest });
}
