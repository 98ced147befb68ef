/** The worked examples of the contract, section 14, through a real API server, with failurePolicy Fail. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CoreV1Api, CustomObjectsApi, PatchStrategy, setHeaderOptions, type V1Pod } from '@kubernetes/client-node';
import { parse } from 'yaml';
import type { KubernetesCluster } from '../../src/cluster/kubernetes/client.js';
import { recordName } from '../../src/cluster/record-name.js';
import type { ImageName } from '../../src/domain/image-ref.js';
import { secretCopyName } from '../../src/domain/secret-copy.js';
import { MemoryRegistry } from '../../src/registry/memory.js';
import { AdmissionLab, installNamespace } from '../support/admission-lab.js';
import { until } from '../support/until.js';
import { innerReplica, watchedViews, type InnerParts, type InnerReplica } from './inner-replica.js';
import { chapters, withDigests, type Chapter, type Example } from './worked-examples.js';
import { pushTo } from './world.js';

const ours = { group: 'kuik.enix.io', version: 'v1alpha1' };

let lab: AdmissionLab;
let replicas: readonly InnerReplica[];
let cluster: KubernetesCluster;
let core: CoreV1Api;
let custom: CustomObjectsApi;
let views: Awaited<ReturnType<typeof watchedViews>>;
let registries = new MemoryRegistry();
const stop = new AbortController();

beforeAll(async () => {
  ({ lab, replicas } = await AdmissionLab.open(async ({ config, cluster: own }) => {
    cluster = own;
    core = config.makeApiClient(CoreV1Api);
    custom = config.makeApiClient(CustomObjectsApi);
    views = await watchedViews(cluster, stop.signal);
    const registry: InnerParts['registry'] = { head: (at, as, call) => registries.head(at, as, call) };
    // facts live for no time, so that every example decides by what it set up
    return [await innerReplica({ cluster, registry, views, probe: { positiveTtlMs: 0, negativeTtlMs: 0 } })];
  }));
  for (const name of ['shop', 'prod', 'ci-42', 'team-a', 'team-b']) await core.createNamespace({ body: { metadata: { name } } });
  for (const { namespace, name, host, user } of chapters.flatMap(({ secrets = [] }) => secrets)) {
    const stringData = { '.dockerconfigjson': JSON.stringify({ auths: { [host]: { username: user, password: 'p' } } }) };
    await core.createNamespacedSecret({ namespace, body: { metadata: { name }, type: 'kubernetes.io/dockerconfigjson', stringData } });
  }
}, 120_000);
afterAll(async () => {
  await Promise.all((replicas ?? []).map((replica) => replica.stop()));
  stop.abort();
  await lab?.close();
});

describe.each(chapters)('$title', (chapter) => {
  test.each(chapter.examples)('$sentence', (example) =>
    withRule(example.rule?.(chapter.rule) ?? chapter.rule, async (uid) => {
      const digests = await prepare(chapter, example);
      const { image, namespace = 'shop', labels, policy = 'IfNotPresent', spec } = example.pod;
      const written = withDigests(image, digests);
      const containers = [{ name: 'c0', image: written, imagePullPolicy: policy }];

      const pod = await core.createNamespacedPod({ namespace, body: { metadata: { generateName: 'web-', labels }, spec: { containers, ...spec } } });

      if (example.becomes === 'left alone') return expect([imageOf(pod), pod.metadata?.annotations]).toEqual([written, undefined]);
      const { becomes } = example;
      expect(imageOf(pod)).toBe(withDigests(becomes.image, digests));
      expect(pod.metadata?.annotations).toEqual({
        'kuik.enix.io/original-images': JSON.stringify({ c0: written }),
        'kuik.enix.io/reason': JSON.stringify({ c0: becomes.reason }),
        ...(becomes.by && { 'kuik.enix.io/rewritten-by': JSON.stringify({ c0: becomes.by }) }),
      });
      expect(pod.spec?.imagePullSecrets).toEqual(becomes.secret && [{ name: becomes.secret === 'copy' ? await copyOf(chapter, uid, namespace) : becomes.secret }]);
      for (const host of becomes.unasked ?? []) expect(registries.host(host).calls).toEqual([]);
    }),
  );
});

/** Applies a rule, waits until the webhook knows it, and takes it away again. */
async function withRule(text: string, work: (uid: string) => Promise<void>): Promise<void> {
  const { kind, metadata, spec } = parse(text) as { kind: string; metadata: { name: string; namespace?: string }; spec: object };
  const { name, namespace } = metadata;
  const plural = `${kind.toLowerCase()}s`;
  const body = { apiVersion: 'kuik.enix.io/v1alpha1', kind, metadata: { name, namespace }, spec };
  const at = { ...ours, plural };
  const created = (await (namespace === undefined ? custom.createClusterCustomObject({ ...at, body }) : custom.createNamespacedCustomObject({ ...at, namespace, body }))) as { metadata: { uid: string } };
  const isKnown = (): boolean => views.rules.snapshot().some(({ id }) => id.name === name);
  await until(isKnown);
  try {
    await work(created.metadata.uid);
  } finally {
    await (namespace === undefined ? custom.deleteClusterCustomObject({ ...at, name }) : custom.deleteNamespacedCustomObject({ ...at, namespace, name }));
    await until(() => !isKnown());
  }
}

async function prepare({ accounts = {} }: Chapter, { there = [], failing = {}, record }: Example): Promise<ReadonlyMap<string, string>> {
  registries = new MemoryRegistry('docker.io', 'quay.io', 'ghcr.io', 'far.example.com', 'near.example.com:5000', 'registry.bitnami.com');
  for (const [host, user] of Object.entries(accounts)) registries.host(host).requires(user, 'p');
  for (const [host, code] of Object.entries(failing)) registries.host(host).fails(code);
  await writeRecord(record);
  return new Map(there.map((image) => [image, pushTo(registries, image)]));
}

/** One example has a record, which says nothing of the Pods after it. */
async function writeRecord(record: Example['record']): Promise<void> {
  if (record === undefined) return;
  const image = record.image as ImageName;
  const at = { ...ours, plural: 'imageavailabilities', name: recordName(image) };
  await custom.createClusterCustomObject({ ...at, body: { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ImageAvailability', metadata: { name: at.name }, spec: { image } } });
  await custom.patchClusterCustomObjectStatus({ ...at, body: { status: { places: record.places } } }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
  await until(() => (views.records.byImage(image)?.places.length ?? 0) > 0);
}

/** The name of the copy, once it is there. */
async function copyOf({ secrets = [] }: Chapter, uid: string, namespace: string): Promise<string> {
  const [source] = secrets;
  if (source === undefined) throw new Error('the chapter has no Secret');
  const name = secretCopyName(source, uid);
  const { metadata } = await core.readNamespacedSecret({ namespace, name });
  expect(metadata?.annotations).toMatchObject({ 'kuik.enix.io/source': `${installNamespace}/${source.name}` });
  return name;
}

function imageOf(pod: V1Pod): string | undefined {
  return pod.spec?.containers[0]?.image;
}
