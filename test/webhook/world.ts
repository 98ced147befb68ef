import { createHash } from 'node:crypto';
import { applyPatch, type Operation } from 'rfc6902';
import { parse } from 'yaml';
import { translateRule } from '../../src/api/translate.js';
import { MemoryCluster } from '../../src/cluster/memory.js';
import type { Digest } from '../../src/domain/digest.js';
import { knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import type { ImageRecord, PlaceRecord } from '../../src/domain/record.js';
import type { RuleKind } from '../../src/domain/rule.js';
import { keyring, secretProblems } from '../../src/registry/keyring.js';
import { MemoryRegistry } from '../../src/registry/memory.js';
import type { Registry } from '../../src/registry/registry.js';
import { NamespacesView } from '../../src/views/namespaces.js';
import { RecordsView } from '../../src/views/records.js';
import { RulesView } from '../../src/views/rules.js';
import { answerReview, type AdmissionDeps, type Admitted, type Outcome } from '../../src/webhook/admission.js';
import type { Keyring } from '../../src/webhook/identities.js';
import type { ProbeSettings } from '../../src/webhook/probe.js';
import type { Clock } from '../../src/webhook/clock.js';
import { createRouteDeps, type RouteWorld } from '../../src/webhook/route-deps.js';
import type { RouteDeps, RouteSettings } from '../../src/webhook/route.js';
import { handClock, silentLog, type HandClock } from './support.js';

/** The keyring of registry, as the composition root hands it in. */
export const realKeyring: Keyring = {
  credentials: (secrets, at) => keyring(secrets, at),
  problems: (secret) => secretProblems([secret]).map(({ message }) => message),
};

export interface WorldOptions {
  /** resources of user kinds, as YAML documents */
  readonly rules?: readonly string[];
  readonly settings?: Partial<RouteSettings>;
  readonly probe?: Partial<ProbeSettings>;
  /** instead of registries in memory */
  readonly registry?: Pick<Registry, 'head'>;
  readonly ready?: () => true | string;
}

/** A cluster, registries and a webhook in memory. */
export interface World {
  readonly clock: HandClock;
  readonly cluster: MemoryCluster;
  readonly registry: MemoryRegistry;
  readonly records: RecordsView;
  readonly namespaces: NamespacesView;
  readonly deps: AdmissionDeps;
  readonly decisions: [verdict: string, reason: string][];
  readonly secretActions: string[];
  /** Puts an image into a registry; returns its digest. */
  push(reference: string): Digest;
  record(image: string, ...places: readonly (Omit<PlaceRecord, 'reference'> & { readonly reference: string })[]): void;
  pullSecret(namespace: string, name: string, host: string, username?: string): void;
  review(request: object, timeoutMs?: number): Promise<Reviewed>;
  /** Creates a Pod as the API server would. */
  create(pod: object, request?: object): Promise<Reviewed>;
  update(pod: object, old: object, request?: object): Promise<Reviewed>;
}

export interface Reviewed {
  readonly outcome: Outcome;
  readonly warnings: readonly string[];
  readonly patch: readonly Operation[];
  /** the object with the patch applied */
  readonly pod: TestPod;
}

export interface TestPod {
  metadata: { name?: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: {
    containers: { name: string; image: string }[];
    initContainers?: { name: string; image: string }[];
    ephemeralContainers?: { name: string; image: string }[];
    volumes?: { name: string; image?: { reference: string } }[];
    imagePullSecrets?: { name: string }[];
  };
}

export function aWorld({ rules = [], settings, probe, registry, ready = () => true }: WorldOptions = {}): World {
  const clock = handClock();
  const cluster = new MemoryCluster({ now: () => clock.now() });
  const registries = new MemoryRegistry('docker.io', 'quay.io', 'ghcr.io');
  const records = new RecordsView();
  const namespaces = new NamespacesView();
  const decisions: World['decisions'] = [];
  const secretActions: string[] = [];
  const route = aRouteDeps({ cluster, registry: registry ?? registries, views: { rules: rulesOf(rules), records, namespaces }, settings, probe, clock, onPullSecret: (action) => secretActions.push(action) });
  const deps: AdmissionDeps = { ...route, ready, observe: { decided: (verdict, reason) => decisions.push([verdict, reason]) }, log: silentLog };

  const world: World = {
    clock,
    cluster,
    registry: registries,
    records,
    namespaces,
    deps,
    decisions,
    secretActions,
    push: (reference) => pushTo(registries, reference),
    record: (image, ...places) => {
      const record: ImageRecord = { name: image.replace(/[^a-z0-9]/g, '-'), image: image as ImageName, pods: 1, places: places as readonly PlaceRecord[] };
      records.apply({ type: 'put', key: record.name, object: record });
    },
    pullSecret: (namespace, name, host, username = 'user') => cluster.putSecret({ namespace, name, data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: { [host]: { username, password: 'p' } } })) } }),
    review: (request, timeoutMs) => review(deps, request, timeoutMs),
    create: (pod, request = {}) => review(deps, { operation: 'CREATE', namespace: namespaceOf(pod), object: pod, ...request }),
    update: (pod, old, request = {}) => review(deps, { operation: 'UPDATE', namespace: namespaceOf(pod), object: pod, oldObject: old, ...request }),
  };
  return world;
}

/** What a decision is made of. */
export interface Parts extends Pick<WorldOptions, 'settings' | 'probe'> {
  readonly cluster: RouteWorld['cluster'];
  readonly registry: Pick<Registry, 'head'>;
  readonly views: Pick<RouteWorld, 'rules' | 'records' | 'namespaces'>;
  readonly clock: Clock;
  readonly onPullSecret?: (action: string) => void;
}

/** Decides with the usual settings but for those given. */
export function aRouteDeps({ cluster, registry, views, settings, probe, clock, onPullSecret = () => {} }: Parts): RouteDeps {
  return createRouteDeps({
    cluster,
    registry,
    keyring: realKeyring,
    ...views,
    settings: {
      deadlineMs: 2_000,
      rewriteOnNever: false,
      honorPrioritiesOnAlways: false,
      pinDigests: false,
      v1ProxyPort: 7439,
      skip: { labels: [], annotations: [], namespaces: [] },
      ...settings,
      probe: { timeoutMs: 1_000, positiveTtlMs: 30_000, negativeTtlMs: 3_000, resolveDigest: false, ...probe },
    },
    observe: { pullSecret: onPullSecret, availability: () => undefined },
    clock,
    random: () => 0,
  });
}

/** A Pod of namespace `shop` whose containers are `c0`, `c1`, ... */
export function aPod(images: string | readonly string[], more: { namespace?: string; labels?: object; annotations?: object; spec?: object; policy?: string } = {}): TestPod {
  const containers = [images].flat().map((image, index) => ({ name: `c${index}`, image, ...(more.policy && { imagePullPolicy: more.policy }) }));
  return {
    metadata: { name: 'web', namespace: more.namespace ?? 'shop', ...(more.labels && { labels: more.labels }), ...(more.annotations && { annotations: more.annotations }) },
    spec: { containers, ...more.spec },
  } as TestPod;
}

export function imagesOf({ spec }: TestPod): string[] {
  return spec.containers.map(({ image }) => image);
}

/** One of our annotations, read. */
export function noteOf({ metadata }: TestPod, name: 'original-images' | 'rewritten-by' | 'reason'): unknown {
  const value = metadata.annotations?.[`kuik.enix.io/${name}`];
  return value === undefined ? undefined : JSON.parse(value);
}

async function review(deps: AdmissionDeps, request: object, timeoutMs?: number): Promise<Reviewed> {
  const object = copyOf((request as { object: unknown }).object);
  const admitted = await answerReview({ request: { uid: 'uid-1', ...request } }, timeoutMs, deps);
  if (admitted === undefined) throw new Error('not answered');
  return { outcome: admitted.outcome, warnings: admitted.answer.response.warnings ?? [], ...applied(admitted, object) };
}

/** Applies the patch with an implementation that is not ours; throws when it does not apply. */
export function applied({ answer }: Admitted, object: unknown): { patch: Operation[]; pod: TestPod } {
  const { allowed, patch: encoded, patchType } = answer.response;
  if (allowed !== true) throw new Error('refused');
  if (encoded === undefined) return { patch: [], pod: object as TestPod };
  if (patchType !== 'JSONPatch') throw new Error('no patch type');
  const patch = JSON.parse(Buffer.from(encoded, 'base64').toString()) as Operation[];
  const problems = applyPatch(object, copyOf(patch)).filter((problem) => problem !== null);
  if (problems.length > 0) throw new Error(`the patch does not apply: ${String(problems[0])}`);
  return { patch, pod: object as TestPod };
}

function rulesOf(documents: readonly string[]): RulesView {
  const view = new RulesView();
  for (const [index, document] of documents.entries()) {
    const { kind, metadata, spec } = parse(document) as { kind: RuleKind; metadata: { name: string; namespace?: string; uid?: string }; spec: unknown };
    const key = metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
    const rule = translateRule({ kind, ...metadata, uid: metadata.uid ?? `uid-${index}`, generation: 1, spec }, { installNamespace: 'kuik-system' });
    view.apply(kind, { type: 'put', key, object: rule });
  }
  return view;
}

/** Puts an image into a registry in memory; returns its digest. */
export function pushTo(registry: MemoryRegistry, reference: string): Digest {
  const { host, path, tag = 'latest' } = knownImageRef(reference);
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config: { digest: `of ${reference}` }, layers: [] }));
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
  const repository = registry.host(host).open(path);
  repository.manifests.set(digest, { bytes, mediaType });
  repository.tags.set(tag, digest);
  return digest;
}

function namespaceOf(pod: object): string {
  return (pod as TestPod).metadata.namespace ?? 'default';
}

/** Not structuredClone: its arrays come from outside the test's realm, where rfc6902 does not know them for arrays. */
function copyOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
