/**
 * Plays v1, in the shapes of its last releases: its definitions and objects with their finalizers, and its webhook, which
 * sent every image of a new Pod through a proxy on the node. It has no proxy, no registry and no controllers.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Stage } from '../../tools/demo/stage.js';
import { aCertificate, anAuthority } from './tls-front.js';

export const v1Finalizers = { cachedImage: 'cachedimage.kuik.enix.io/finalizer', repository: 'repository.kuik.enix.io/finalizer' } as const;

/** Its release is called so in its own guide; the name of our chart is the same. */
export const v1Registration = 'kube-image-keeper-mutating-webhook';

const apiVersion = 'kuik.enix.io/v1alpha1';
const proxyPort = 7439;

type Api = Pick<Stage, 'apply' | 'kubectl'>;

/** Its two definitions, established. */
export async function defineV1(api: Api): Promise<void> {
  const text = { type: 'string' };
  const time = { ...text, format: 'date-time' };
  const flag = { type: 'boolean' };
  const count = { type: 'integer' };
  const bytes = { ...count, format: 'int64' };
  const object = (properties: object, required?: readonly string[]) => ({ type: 'object', properties, ...(required && { required }) });
  const list = (items: object) => ({ type: 'array', items });

  const cachedImage = object({
    spec: object({ sourceImage: text, expiresAt: time, retain: flag }, ['sourceImage']),
    status: object({
      isCached: flag,
      phase: text,
      usedBy: object({ count, pods: list(object({ namespacedName: text })) }),
      progress: object({ total: bytes, available: bytes }),
      digest: text,
      upstreamDigest: text,
      upToDate: flag,
      lastSync: time,
      lastSuccessfulPull: time,
      availableUpstream: flag,
      lastSeenUpstream: time,
    }),
  });
  const repository = object({
    spec: object({ name: text, pullSecretNames: list(text), pullSecretsNamespace: text, updateInterval: text, updateFilters: list(text) }, ['name']),
    status: object({ images: count, phase: text, lastUpdate: time }),
  });
  const items = [definition('CachedImage', 'cachedimages', 'ci', cachedImage), definition('Repository', 'repositories', 'repo', repository)];
  await api.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await api.kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd/cachedimages.kuik.enix.io', 'crd/repositories.kuik.enix.io');
}

function definition(kind: string, plural: string, short: string, openAPIV3Schema: object): object {
  const singular = kind.toLowerCase();
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.kuik.enix.io` },
    spec: { group: 'kuik.enix.io', names: { kind, plural, singular, listKind: `${kind}List`, shortNames: [short] }, scope: 'Cluster', versions: [{ name: 'v1alpha1', served: true, storage: true, schema: { openAPIV3Schema }, subresources: { status: {} } }] },
  };
}

export interface Cached {
  /** as a Pod wrote it */
  readonly sourceImage: string;
  readonly retain?: boolean;
  /** what its status says beside phase and progress; cached, and seen at its origin, unless told */
  readonly status?: object;
}

const seenOnce = '2026-03-01T10:00:00Z';
const seenUpstream = { isCached: true, availableUpstream: true, lastSeenUpstream: seenOnce };

/** A CachedImage with the Repository that owns it. @param repository full name, without tag */
export async function cacheInV1(api: Api, repository: string, { sourceImage, retain, status = seenUpstream }: Cached): Promise<void> {
  const owner = await repositoryInV1(api, { name: repository });
  const name = v1ObjectName(`${repository}${sourceImage.slice(sourceImage.lastIndexOf(':'))}`);
  const metadata = { name, finalizers: [v1Finalizers.cachedImage], ownerReferences: [{ apiVersion, kind: 'Repository', name: owner.name, uid: owner.uid }] };
  await api.apply(JSON.stringify({ apiVersion, kind: 'CachedImage', metadata, spec: { sourceImage, ...(retain && { retain }) } }));
  const whole = { phase: 'Ready', lastSync: seenOnce, lastSuccessfulPull: seenOnce, digest: 'a'.repeat(64), usedBy: { count: 1, pods: [{ namespacedName: 'default/web' }] }, progress: { total: 1000, available: 1000 }, ...status };
  await api.kubectl('patch', 'cachedimage', name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status: whole }));
}

/** @param spec of a Repository: `name`, and perhaps `updateInterval` and `updateFilters` */
export async function repositoryInV1(api: Api, spec: { readonly name: string; readonly updateInterval?: string; readonly updateFilters?: readonly string[] }): Promise<{ readonly name: string; readonly uid: string }> {
  const name = v1ObjectName(spec.name);
  await api.apply(JSON.stringify({ apiVersion, kind: 'Repository', metadata: { name, finalizers: [v1Finalizers.repository] }, spec }));
  return { name, uid: await api.kubectl('get', 'repository', name, '-o', 'jsonpath={.metadata.uid}') };
}

/** Lower case; what may not stand in a name becomes a dash. */
function v1ObjectName(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9.]+/g, '-');
}

export interface V1Webhook {
  /** registers it, as its chart does */
  register(): Promise<void>;
  close(): Promise<void>;
}

interface Container {
  name: string;
  image: string;
  imagePullPolicy?: string;
}

interface PodObject {
  readonly metadata?: { readonly annotations?: Record<string, string>; readonly labels?: Record<string, string> };
  readonly spec: { readonly containers: readonly Container[]; readonly initContainers?: readonly Container[] };
}

interface Review {
  readonly request: { readonly uid: string; readonly operation: string; readonly object: PodObject };
}

/** Answers reviews as v1 did. */
export async function startV1Webhook(api: Api): Promise<V1Webhook> {
  const authority = await anAuthority();
  const pair = await aCertificate(authority, { ips: ['127.0.0.1'] });
  const server = createServer({ cert: pair.certificate, key: pair.privateKey }, (request, answer) => {
    void answerTo(request).then((response) => answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(response)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/mutate-core-v1-pod`;
  return {
    register: async () => void (await api.apply(JSON.stringify(registration(url, authority.certificate)))),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function registration(url: string, authority: string): object {
  const client = { url, caBundle: Buffer.from(authority).toString('base64') };
  const webhook = {
    name: 'mpod.kb.io',
    admissionReviewVersions: ['v1', 'v1beta1'],
    clientConfig: client,
    failurePolicy: 'Ignore',
    reinvocationPolicy: 'IfNeeded',
    sideEffects: 'None',
    namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'v1-system'] }] },
    objectSelector: { matchExpressions: [{ key: 'kube-image-keeper.enix.io/image-caching-policy', operator: 'NotIn', values: ['ignore'] }] },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['pods'] }],
  };
  return { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration', metadata: { name: v1Registration }, webhooks: [webhook] };
}

async function answerTo(request: IncomingMessage): Promise<object> {
  const { request: asked } = (await json(request)) as Review;
  const patch = Buffer.from(JSON.stringify(rewritten(asked.object, asked.operation === 'CREATE'))).toString('base64');
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: asked.uid, allowed: true, patchType: 'JSONPatch', patch } };
}

/** Whole maps are put in place, so that nothing has to be there before. */
function rewritten({ metadata = {}, spec }: PodObject, isNew: boolean): readonly object[] {
  const annotations: Record<string, string> = { ...metadata.annotations };
  const rewrites = isNew || annotations['kuik.enix.io/rewrite-images'] === 'true';
  annotations['kuik.enix.io/rewrite-images'] = String(rewrites);
  const lists = { containers: spec.containers, initContainers: spec.initContainers ?? [] };
  const images = Object.entries(lists).flatMap(([field, containers]) => {
    const prefix = field === 'initContainers' ? 'original-init-image-' : 'original-image-';
    return containers.flatMap(({ name, image, imagePullPolicy }, at) => {
      if (image.includes('@') || imagePullPolicy === 'Never' || imagePullPolicy === 'Always') return [];
      const source = image.replaceAll(/localhost:[0-9]+\//g, '');
      annotations[annotationKey(prefix, name)] = source;
      return rewrites ? [{ op: 'replace', path: `/spec/${field}/${at}/image`, value: `localhost:${proxyPort}/${source.replace(/^([^/:]+):([0-9]+)\//, '$1-$2/')}` }] : [];
    });
  });
  return [{ op: 'add', path: '/metadata/labels', value: { ...metadata.labels, 'kuik.enix.io/managed': 'true' } }, { op: 'add', path: '/metadata/annotations', value: annotations }, ...images];
}

function annotationKey(prefix: string, container: string): string {
  return prefix.length + container.length > 63 ? prefix + createHash('sha1').update(container).digest('hex') : prefix + container;
}
