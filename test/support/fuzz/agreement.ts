/**
 * `kuik explain` and the webhook in generated clusters: the webhook watches and answers a review, the explanation reads
 * everything once. What is explained must be what was decided.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AskedPod } from '../../../src/commands/explain/pods.js';
import { explainPod } from '../../../src/commands/explain/run.js';
import { ReadableSecrets, withoutHidden } from '../../../src/commands/explain/unreadable.js';
import { readViews, type ReadViews } from '../../../src/commands/read-views.js';
import type { Resource } from '../../../src/cluster/cluster.js';
import { MemoryCluster } from '../../../src/cluster/memory.js';
import { availabilityStates } from '../../../src/domain/availability.js';
import { Failure, failureCodes } from '../../../src/domain/failure.js';
import type { ImageName } from '../../../src/domain/image-ref.js';
import { podOf } from '../../../src/domain/pod.js';
import type { PlaceRecord } from '../../../src/domain/record.js';
import type { RuleKind } from '../../../src/domain/rule.js';
import type { Seen } from '../../../src/registry/registry.js';
import { NamespacesView } from '../../../src/views/namespaces.js';
import { RecordsView } from '../../../src/views/records.js';
import { RulesView } from '../../../src/views/rules.js';
import { watchCluster } from '../../../src/watchers/watch.js';
import { answerReview, type AdmissionDeps } from '../../../src/webhook/admission.js';
import type { RouteDeps } from '../../../src/webhook/route.js';
import { handClock, silentLog } from '../../webhook/support.js';
import { applied, aRouteDeps, type TestPod } from '../../webhook/world.js';
import { inJson } from './pods.js';

const namespace = 'shop';
const installNamespace = 'kuik-system';
/** After so long nothing is remembered of the situation before. */
const longMs = 3_600_000;

// --- what there is

const images = ['nginx', 'nginx:1', 'quay.io/acme/api:v4', `quay.io/acme/api@sha256:${'b'.repeat(64)}`, 'ghcr.io/c/d:2', 'localhost:7439/nginx:1', 'near.example.com/m/library/nginx:1', 'not a reference'] as const;
const hosts = ['docker.io', 'quay.io', 'ghcr.io', 'near.example.com', 'far.example.com'] as const;
const secrets = ['own', 'pull', 'gone'] as const;

const priority = fc.constantFrom(undefined, -1, 0, 1);
const filter = fc.constantFrom<object>({ include: [{ image: '.*' }] }, { include: [{ image: 'quay.*' }] }, { include: [{ image: '.*' }], exclude: [{ namespace: 'shop' }] }, { include: [{ image: '.*' }, { label: 'tier=web' }] }, { include: [{ image: '(' }] });
const credential = fc.constantFrom(undefined, ...secrets).map((name) => name && { name, namespace: installNamespace });
const mirror = fc.record({ registry: fc.constantFrom('near.example.com', 'far.example.com'), path: fc.constantFrom('/m', '/n'), layout: fc.constantFrom(undefined, 'host'), priority, credentialSecret: credential, pullSecret: credential });
const mirrorRule = fc.record({ kind: fc.constantFrom<RuleKind>('ClusterImageSetMirror', 'ImageSetMirror'), spec: fc.record({ priority, filter, suspend: fc.constantFrom(undefined, true), mirrors: fc.uniqueArray(mirror, { minLength: 1, maxLength: 2, selector: ({ registry }) => registry }) }) });
const upstream = fc.record({
  registry: fc.constantFrom(...hosts),
  path: fc.constantFrom('/', '/library', '/acme'),
  discardAlternative: fc.constantFrom(undefined, true),
  imageFilter: fc.constant({ include: ['.*'] }),
  credentialSecret: credential,
});
const replicaRule = fc.record({ kind: fc.constantFrom<RuleKind>('ClusterReplicatedImageSet', 'ReplicatedImageSet'), spec: fc.record({ priority, upstreams: fc.uniqueArray(upstream, { minLength: 2, maxLength: 3, selector: ({ registry }) => registry }) }) });

const place: fc.Arbitrary<PlaceRecord> = fc
  .record({
    reference: fc.constantFrom('near.example.com/m/library/nginx:1', 'near.example.com/n/acme/api:v4', 'far.example.com/m/library/nginx:latest', 'docker.io/library/nginx:1', 'quay.io/acme/api:v4'),
    role: fc.constantFrom('origin', 'mirror', 'replica'),
    state: fc.constantFrom(undefined, ...availabilityStates),
    checkedAt: fc.constantFrom(undefined, 'now', '2026-11-21T11:00:00Z'),
    identity: fc.constantFrom(undefined, 'anonymous', '0123456789ab'),
    mirroredAt: fc.constantFrom(undefined, '2026-11-20T10:00:00Z'),
    retiringSince: fc.constantFrom(undefined, undefined, '2026-11-21T11:00:00Z'),
    platforms: fc.constantFrom(undefined, ['linux/amd64']),
  })
  .map((all) => inJson(all) as PlaceRecord);

const container = fc.record({ image: fc.constantFrom(...images), imagePullPolicy: fc.constantFrom(undefined, 'Always', 'IfNotPresent', 'Never') });

const situation = fc.record({
  rules: fc.array(fc.oneof(mirrorRule, replicaRule), { maxLength: 4 }),
  records: fc.uniqueArray(fc.record({ image: fc.constantFrom('docker.io/library/nginx:1', 'docker.io/library/nginx:latest', 'quay.io/acme/api:v4'), places: fc.uniqueArray(place, { maxLength: 3, selector: ({ reference }) => reference }) }), { maxLength: 2, selector: ({ image }) => image }),
  /** what every registry says to each image: a code, or that it is there */
  answers: fc.array(fc.constantFrom('there', 'there', ...failureCodes), { minLength: hosts.length, maxLength: hosts.length }),
  namespaceLabels: fc.constantFrom<Record<string, string>>({}, {}, {}, { 'kuik.enix.io/ignore': 'true' }),
  settings: fc.record({ rewriteOnNever: fc.boolean(), honorPrioritiesOnAlways: fc.boolean(), pinDigests: fc.boolean() }),
  pod: fc.record({
    containers: fc.array(container, { minLength: 1, maxLength: 3 }),
    initContainers: fc.array(container, { maxLength: 1 }),
    labels: fc.constantFrom<Record<string, string>>({}, { tier: 'web' }, { 'kuik.enix.io/ignore': 'true' }),
    pullSecrets: fc.subarray([...secrets]),
    /** its user keeps the first container out */
    isOptedOut: fc.constantFrom(false, false, false, true),
    nodeSelector: fc.constantFrom<Record<string, string>>({}, { 'kubernetes.io/arch': 'arm64' }),
  }),
});
export type Situation = typeof situation extends fc.Arbitrary<infer T> ? T : never;

// --- what must be so

/** A Pod is explained, before it is created and afterwards, as it was decided. */
export function explanationsAreDecisions(): fc.IAsyncPropertyWithHooks<[Situation]> {
  const [webhook, explainer] = [new Side(), new Side()];
  let now = Date.parse('2026-11-21T12:00:00Z');
  return fc.asyncProperty(situation, async (all) => {
    now += longMs;
    const cluster = aCluster(all, now);
    const wanted = aManifest(all);
    const decided = await admitted(wanted, await webhook.look({ all, cluster, now, views: await watched(cluster) }), all);

    const explain = async (pod: TestPod, isLive: boolean): Promise<Outcome> =>
      explained({ pod: podOf(pod, namespace), isLive }, await explainer.look({ all, cluster, now, views: await readViews(cluster, installNamespace) }), cluster, all);
    assert.deepEqual(await explain(wanted, false), decided.outcome);
    // of a Pod that is there nobody can tell whether its user or the webhook recorded an image
    if (decided.outcome === 'left alone' || all.pod.isOptedOut) return;
    if (decided.outcome.pullSecrets.length > 0) return; // a Secret that the Pod has now may open other places, too
    assert.deepEqual(await explain(decided.pod, true), decided.outcome);
  });
}

/** What becomes of a Pod, for both to say. */
type Outcome = 'left alone' | { readonly images: Readonly<Record<string, string>>; readonly reasons: Readonly<Record<string, string>>; readonly pullSecrets: readonly string[] };

async function admitted(wanted: TestPod, route: RouteDeps, all: Situation): Promise<{ readonly outcome: Outcome; readonly pod: TestPod }> {
  const deps: AdmissionDeps = { ...route, ready: () => true, observe: { decided: () => {} }, log: silentLog };
  const answer = await answerReview({ request: { uid: 'u-1', operation: 'CREATE', namespace, dryRun: true, object: inJson(wanted) } }, undefined, deps);
  if (answer === undefined) throw new Error('nobody answered');
  const { pod } = applied(answer, inJson(wanted));
  if (answer.outcome === 'skipped') return { outcome: 'left alone', pod };

  const had = new Set(all.pod.pullSecrets);
  return {
    outcome: {
      images: Object.fromEntries([...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(({ name, image }) => [name, image])),
      reasons: JSON.parse(pod.metadata.annotations?.['kuik.enix.io/reason'] ?? '{}') as Record<string, string>,
      pullSecrets: (pod.spec.imagePullSecrets ?? []).map(({ name }) => name).filter((name) => !had.has(name as never)).sort(),
    },
    pod,
  };
}

async function explained(asked: AskedPod, deps: RouteDeps, cluster: MemoryCluster, all: Situation): Promise<Outcome> {
  const secrets = new ReadableSecrets(cluster);
  const { skipped, containers } = await explainPod(asked, { deps: withoutHidden(deps, secrets), secrets, asIf: new Map() });
  if (skipped !== undefined) return 'left alone';
  const had = new Set(all.pod.pullSecrets);
  return {
    images: Object.fromEntries(containers.map(({ container: name, pulls }) => [name, pulls])),
    reasons: Object.fromEntries(containers.filter(({ reason }) => reason !== 'Recorded').map(({ container: name, reason }) => [name, reason])),
    pullSecrets: [...new Set(containers.flatMap(({ pullSecret }) => pullSecret ?? []))].filter((name) => !had.has(name as never)).sort(),
  };
}

// --- the worlds

async function watched(cluster: MemoryCluster): Promise<ReadViews> {
  const views = { rules: new RulesView(), records: new RecordsView(), namespaces: new NamespacesView() };
  const stop = new AbortController();
  const watches = watchCluster(cluster, views, { installNamespace }, stop.signal);
  await cluster.settle();
  stop.abort();
  await watches;
  return views;
}

function aCluster({ rules, records, namespaceLabels }: Situation, now: number): MemoryCluster {
  const cluster = new MemoryCluster({ now: () => now });
  const seen = (one: PlaceRecord): PlaceRecord => (one.checkedAt === 'now' ? { ...one, checkedAt: new Date(now).toISOString() } : one);
  cluster.put('Namespace', { name: namespace, labels: namespaceLabels });
  for (const [at, rule] of rules.entries()) cluster.put(rule.kind, aResource(rule, `rule-${at}`));
  for (const { image, places } of records) cluster.put('ImageAvailability', { name: image.replace(/[^a-z0-9]/g, '-'), image: image as ImageName, pods: 1, places: places.map(seen) });
  for (const home of [namespace, installNamespace]) {
    for (const name of secrets) if (name !== 'gone') cluster.putSecret({ namespace: home, name, data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: { 'near.example.com': { username: name, password: 'p' } } })) } });
  }
  return cluster;
}

function aResource({ kind, spec }: { readonly kind: RuleKind; readonly spec: object }, name: string): Resource {
  const home = kind.startsWith('Cluster') ? undefined : namespace;
  return {
    key: home === undefined ? name : `${home}/${name}`,
    kind,
    ...(home !== undefined && { namespace: home }),
    name,
    uid: `uid-${name}`,
    generation: 1,
    labels: {},
    annotations: {},
    finalizers: [],
    spec: inJson(spec), // without what is undefined, as the API server has it
    status: {},
  };
}

function aManifest({ pod: { containers, initContainers, labels, pullSecrets, nodeSelector, isOptedOut } }: Situation): TestPod {
  return inJson({
    metadata: { name: 'web', namespace, labels, ...(isOptedOut && { annotations: { 'kuik.enix.io/original-images': '{"c0":""}' } }) },
    spec: {
      containers: containers.map((one, at) => ({ name: `c${at}`, ...one })),
      initContainers: initContainers.map((one, at) => ({ name: `i${at}`, ...one })),
      imagePullSecrets: pullSecrets.map((name) => ({ name })),
      nodeSelector,
    },
  });
}

interface Seeing {
  readonly all: Situation;
  readonly cluster: MemoryCluster;
  readonly views: ReadViews;
  /** milliseconds since the epoch */
  readonly now: number;
}

/** One who decides. Made once, because its caches are large; what they hold is long forgotten when it looks again. */
class Side {
  readonly #clock = handClock();
  readonly #deps: RouteDeps;
  #seen: Seeing | undefined;

  constructor() {
    const at = (): Seeing => {
      if (this.#seen === undefined) throw new Error('nothing was looked at yet');
      return this.#seen;
    };
    this.#deps = aRouteDeps({
      cluster: { secret: (ref) => at().cluster.secret(ref), applySecret: (...all) => at().cluster.applySecret(...all), deleteSecret: (...all) => at().cluster.deleteSecret(...all) },
      registry: { head: (place, as) => answerOf(at().all, place.host, as[0]?.id) },
      views: {
        rules: { inForce: (home) => at().views.rules.inForce(home), snapshot: () => at().views.rules.snapshot() },
        records: { at: (place) => at().views.records.at(place), fact: (place) => at().views.records.fact(place), holder: (place) => at().views.records.holder(place), isRetiring: (place) => at().views.records.isRetiring(place) },
        namespaces: { labels: (name) => at().views.namespaces.labels(name) },
      },
      clock: this.#clock,
    });
  }

  /** From now on it decides in this situation. */
  async look(seen: Seeing): Promise<RouteDeps> {
    this.#seen = seen;
    await this.#clock.advance(seen.now - this.#clock.now());
    return { ...this.#deps, settings: { ...this.#deps.settings, ...seen.all.settings } };
  }
}

async function answerOf({ answers }: Situation, host: string, identity = 'anonymous'): Promise<Seen | 'missing'> {
  const answer = answers[hosts.findIndex((known) => known === host)] ?? 'unreachable';
  if (answer === 'missing') return 'missing';
  if (answer !== 'there') throw new Failure({ code: answer, side: 'source', host, message: answer });
  return { digest: `sha256:${'c'.repeat(64)}` as never, mediaType: 'x', size: 1, identity };
}
