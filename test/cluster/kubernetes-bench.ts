import { join } from 'node:path';
import {
  AdmissionregistrationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  EventsV1Api,
  KubernetesObjectApi,
  type KubeConfig,
} from '@kubernetes/client-node';
import { connectCluster, type KubernetesCluster } from '../../src/cluster/kubernetes/client.js';
import { webhookName } from '../../src/cluster/kubernetes/webhook-configuration.js';
import { apiGroup } from '../../src/domain/names.js';
import { toolOutput } from '../../tools/servers.js';
import type { ClusterBench } from '../conformance/cluster.js';
import { aPodObject, aWorkloadObject } from '../support/builders.js';

const group = apiGroup;
const version = 'v1alpha1';
const namespace = 'default';

/** What a user does with kubectl, done with the reference client. */
export function kubernetesBench(config: KubeConfig): ClusterBench & { close(): void } {
  const core = config.makeApiClient(CoreV1Api);
  const custom = config.makeApiClient(CustomObjectsApi);
  const any = KubernetesObjectApi.makeApiClient(config);
  const connections: KubernetesCluster[] = [];
  const connect = (): KubernetesCluster => {
    const cluster = connectCluster(config);
    connections.push(cluster);
    return cluster;
  };
  const rules = { group, version, plural: 'clusterimagesetmirrors' };

  return {
    cluster: connect(),
    another: connect,
    close: () => connections.forEach((cluster) => cluster.close()),
    createPod: async (name, images) => void (await core.createNamespacedPod({ namespace, body: withoutUid(aPodObject({ namespace, name, images })) })),
    deletePod: async (name) => void (await core.deleteNamespacedPod({ namespace, name, gracePeriodSeconds: 0 })),
    createWorkload: async (kind, name, images) => void (await any.create(aWorkloadObject(kind, { namespace, name, images }))),
    deleteWorkload: async (kind, name) => void (await any.delete(aWorkloadObject(kind, { namespace, name }), undefined, undefined, 0, undefined, 'Background')),
    createNamespace: async (name, labels) => void (await core.createNamespace({ body: { metadata: { name, labels } } })),
    createNode: async (name, labels) => void (await core.createNode({ body: { metadata: { name, labels } } })),
    async createRule(name, finalizers) {
      const spec = { filter: { include: [{ image: '.*' }] }, mirrors: [{ registry: 'registry.example.com' }] };
      await custom.createClusterCustomObject({ ...rules, body: { apiVersion: `${group}/${version}`, kind: 'ClusterImageSetMirror', metadata: { name, finalizers }, spec } });
    },
    deleteRule: async (name) => void (await custom.deleteClusterCustomObject({ ...rules, name })),
    async createSecret(name, data, labels) {
      await core.createNamespacedSecret({ namespace, body: { metadata: { name, labels }, type: 'kubernetes.io/dockerconfigjson', stringData: data } });
    },
    async events(reason) {
      const { items } = await config.makeApiClient(EventsV1Api).listNamespacedEvent({ namespace });
      return items.filter((event) => event.reason === reason).map(({ note = '', series }) => ({ note, count: series?.count ?? 1 }));
    },
    async createWebhook(name, timeoutSeconds) {
      const clientConfig = { url: 'https://127.0.0.1:9443/mutate--v1-pod' };
      const webhook = { name: webhookName, admissionReviewVersions: ['v1'], sideEffects: 'NoneOnDryRun', clientConfig, timeoutSeconds };
      await config.makeApiClient(AdmissionregistrationV1Api).createMutatingWebhookConfiguration({ body: { metadata: { name }, webhooks: [webhook] } });
    },
    async webhook(name) {
      const found = await config.makeApiClient(AdmissionregistrationV1Api).readMutatingWebhookConfiguration({ name });
      const [webhook] = found.webhooks ?? [];
      return { caBundle: Buffer.from(webhook?.clientConfig.caBundle ?? '', 'base64').toString(), timeoutSeconds: webhook?.timeoutSeconds ?? 0 };
    },
  };
}

/** Installs our kinds as a user does, and waits until they are served. */
export async function installKinds(kubeconfig: string): Promise<void> {
  const kubectl = (...args: string[]): Promise<unknown> => toolOutput('kubectl', ['--kubeconfig', kubeconfig, ...args]);
  await kubectl('apply', '-f', join(import.meta.dirname, '..', '..', 'charts', 'kube-image-keeper', 'crds'));
  await kubectl('wait', '--for=condition=Established', 'crd', '--all');
}

/** The server chooses. */
function withoutUid(pod: Record<string, unknown>): Record<string, unknown> {
  return { ...pod, metadata: { ...(pod.metadata as object), uid: undefined } };
}
