/**
 * A real API server that refuses a Pod whenever a call to our webhook fails (`failurePolicy: Fail`), replicas of the
 * webhook behind a balancer, and people who create Pods. The registration is the one a chart makes: through a Service,
 * of which kuik writes nothing but the CA bundle. The Service is an alias of this machine (`ExternalName`), so the API
 * server asks for the names of a cluster and is led to the balancer.
 */
import { AdmissionregistrationV1Api, CoreV1Api, CustomObjectsApi, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { connectCluster, type KubernetesCluster } from '../../src/cluster/kubernetes/client.js';
import { loadKubeConfig } from '../../src/cluster/kubernetes/kubeconfig.js';
import { webhookName } from '../../src/cluster/kubernetes/webhook-configuration.js';
import { AuthorityKeeper } from '../../src/webhook/authority-keeper.js';
import { admissionPath, webhookConfiguration } from '../../src/webhook/configuration.js';
import { systemClock } from '../../src/webhook/system-clock.js';
import { startKuik, type Kuik } from '../../tools/demo/kuik.js';
import { isOk } from '../../tools/health.js';
import { projectRoot } from '../../tools/programs.js';
import { freePort, scratchFolder, startApiServer, toolOutput, type ApiServer } from '../../tools/servers.js';
import { join } from 'node:path';
import { startBalancer, type Balancer, type Replica } from './balancer.js';
import { startFaultRegistry, type FaultRegistry } from './fault-registry.js';
import { anImage } from './images.js';
import { silentLog } from '../webhook/support.js';
import { until } from './until.js';

const image = { at: 'library/web', copiedTo: 'm/library/web' } as const;
export const installNamespace = 'kuik-system';
export const serviceName = 'kube-image-keeper-webhook';
const registrationName = 'kube-image-keeper-mutating-webhook';
export const authorityRef = { namespace: installNamespace, name: 'kube-image-keeper-webhook-server-cert' } as const;

/** What came of creating Pods. */
export interface Admissions {
  readonly admitted: number;
  /** admitted without a decision: the webhook was asked and had none */
  readonly undecided: number;
  /** how often each reason was given */
  readonly reasons: Readonly<Record<string, number>>;
  /** what the API server said to whoever was refused */
  readonly refused: readonly string[];
  /** of those: refused again when they tried once more */
  readonly refusedTwice: readonly string[];
}

export interface Wish {
  /** how many Pods at least */
  readonly count: number;
  /** goes on while this is so */
  readonly while?: () => boolean;
  /** one image for each container of a Pod */
  readonly images: (number: number) => readonly string[];
  /** people creating Pods at the same time */
  readonly atOnce?: number;
}

/** Where replicas start. */
export interface LabCluster {
  readonly api: ApiServer;
  readonly config: KubeConfig;
  readonly cluster: KubernetesCluster;
}

/** Every so many Pods is created for real, the others as a dry run, which asks the webhook all the same. */
const realOneIn = 10;
const tags = 10;

export class AdmissionLab {
  readonly #core: CoreV1Api;
  readonly #custom: CustomObjectsApi;
  #names = 0;

  private constructor(
    readonly api: ApiServer,
    readonly config: KubeConfig,
    readonly cluster: KubernetesCluster,
    readonly registry: FaultRegistry,
    readonly balancer: Balancer,
  ) {
    this.#core = config.makeApiClient(CoreV1Api);
    this.#custom = config.makeApiClient(CustomObjectsApi);
  }

  /** @param start the replicas, once there is a cluster; resolves when they listen */
  static async open<R extends Replica>(start: (cluster: LabCluster) => Promise<readonly R[]>): Promise<{ readonly lab: AdmissionLab; readonly replicas: readonly R[] }> {
    const api = await startApiServer();
    const config = loadKubeConfig({ file: api.kubeconfig });
    const kubectl = (...args: string[]): Promise<unknown> => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, ...args]);
    await kubectl('apply', '--server-side', '-f', join(projectRoot(), 'charts', 'kube-image-keeper', 'crds'));
    await kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
    await kubectl('create', 'namespace', installNamespace);
    const port = await freePort();
    await register(config, port); // kuik writes its CA bundle into what is there
    const cluster = connectCluster(config);
    await aLeader(cluster).look();
    const replicas = await start({ api, config, cluster });

    const lab = new AdmissionLab(api, config, cluster, await startFaultRegistry(), await startBalancer(replicas, port));
    lab.#fillMirror();
    // a registration works a second or two later: until then Pods pass by, or are refused
    await until(async () => (await lab.#create(['nginx'], 0).catch(() => undefined))?.metadata?.annotations !== undefined);
    return { lab, replicas };
  }

  /** Mirrors everything to a registry that has `image(0)` to `image(9)`. */
  async mirrorEverything(registry = this.registry.host): Promise<void> {
    const spec = { priority: -1, filter: { include: [{ image: '.*' }] }, mirrors: [{ registry, path: '/m' }] };
    const body = { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'everything' }, spec };
    await this.#custom.createClusterCustomObject({ group: 'kuik.enix.io', version: 'v1alpha1', plural: 'clusterimagesetmirrors', body });
    const images = Array.from({ length: tags }, (_, number) => this.image(number));
    const isSeen = async (): Promise<boolean> => reasonsOf(await this.#create(images, 1))['OnlyOrigin'] === undefined;
    // by every replica: so many at once need connections to all of them
    await until(async () => (await Promise.all(Array.from({ length: 16 }, isSeen))).every(Boolean));
  }

  /** Waits until every replica has seen that the copies are there: from then on they are known for an hour. */
  async untilKnown(): Promise<void> {
    const images = Array.from({ length: tags }, (_, number) => this.image(number));
    const isKnown = async (): Promise<boolean> => reasonsOf(await this.#create(images, 1))['PlacePreferred'] === tags;
    for (let times = 0; times < 2; times++) await until(async () => (await Promise.all(Array.from({ length: 16 }, isKnown))).every(Boolean));
  }

  image(number: number): string {
    return `${this.registry.host}/${image.at}:${number % tags}`;
  }

  /** Has people create Pods, who try once more when they are refused, as every controller does. */
  async create({ count, images, atOnce = 8, while: goesOn = () => false }: Wish): Promise<Admissions> {
    const seen = { admitted: 0, undecided: 0, reasons: {} as Record<string, number>, refused: [] as string[], refusedTwice: [] as string[] };
    let asked = 0;
    const person = async (): Promise<void> => {
      while (asked < count || goesOn()) {
        const number = asked++;
        const pod = await this.#create(images(number), number)
          .catch((error: unknown) => {
            seen.refused.push(textOf(error));
            return this.#create(images(number), number);
          })
          .catch((error: unknown) => void seen.refusedTwice.push(textOf(error)));
        if (pod === undefined) continue;
        seen.admitted++;
        const reasons = reasonsOf(pod);
        if (Object.keys(reasons).length === 0) seen.undecided++;
        for (const [reason, times] of Object.entries(reasons)) seen.reasons[reason] = (seen.reasons[reason] ?? 0) + times;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, person));
    return seen;
  }

  async close(): Promise<void> {
    await this.balancer.close();
    await this.registry.close();
    this.cluster.close();
    await this.api.kill();
  }

  #create(images: readonly string[], number: number): Promise<V1Pod> {
    const containers = images.map((image, index) => ({ name: `c${index}`, image, imagePullPolicy: 'IfNotPresent' }));
    const body = { metadata: { name: `pod-${this.#names++}` }, spec: { containers } };
    return this.#core.createNamespacedPod({ namespace: 'default', body, ...(number % realOneIn > 0 && { dryRun: 'All' }) });
  }

  #fillMirror(): void {
    const { manifest } = anImage('web');
    for (let tag = 0; tag < tags; tag++) {
      const repository = this.registry.store.open(image.copiedTo);
      repository.manifests.set(manifest.digest, { bytes: Buffer.from(manifest.bytes), mediaType: manifest.mediaType });
      repository.tags.set(String(tag), manifest.digest);
    }
  }
}

/** A replica that is a process of its own, `kuik webhook` as a cluster runs it. */
export interface ProcessReplica extends Replica {
  start(): Promise<void>;
  /** SIGTERM, as a rollout does */
  stop(): Promise<void>;
  /** SIGKILL */
  kill(): Promise<void>;
}

/** @param temporalAddress where Temporal would be: the webhook never asks */
export async function aProcessReplica({ api }: Pick<LabCluster, 'api'>, temporalAddress = '127.0.0.1:1'): Promise<ProcessReplica> {
  const dir = scratchFolder('replica');
  const ports = { webhook: await freePort(), metrics: await freePort(), health: await freePort() };
  const start = (): Promise<Kuik> => startKuik({ role: 'webhook', dir, kubeconfig: api.kubeconfig, temporalAddress, ports, registered: 'by-chart', factsLive: '1h', until: 'ready' });
  let running = await start();
  return {
    port: ports.webhook,
    isReady: () => isOk(`http://127.0.0.1:${ports.health}/readyz`),
    start: async () => void (running = await start()),
    stop: () => running.stop(),
    kill: () => running.kill(),
  };
}

/** Looks after the authority as the manager that leads does, whenever it is told to. */
export function aLeader(cluster: KubernetesCluster): AuthorityKeeper {
  const client = { service: { namespace: installNamespace, name: serviceName, path: admissionPath, port: 443 } }; // the chart's counts
  return new AuthorityKeeper({
    cluster,
    secret: authorityRef,
    publish: (caBundle) => cluster.applyWebhookConfiguration(webhookConfiguration({ name: registrationName, client, write: 'caBundle' }, caBundle)),
    trusted: async () => (await cluster.registeredWebhook(registrationName))?.caBundle,
    clock: systemClock,
    log: silentLog,
  });
}

/** What a chart installs, but for the failure policy. */
async function register(config: KubeConfig, port: number): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  await core.createNamespacedService({ namespace: installNamespace, body: { metadata: { name: serviceName }, spec: { type: 'ExternalName', externalName: 'localhost' } } });
  const service = { namespace: installNamespace, name: serviceName, path: admissionPath, port };
  await config.makeApiClient(AdmissionregistrationV1Api).createMutatingWebhookConfiguration({
    body: {
      metadata: { name: registrationName },
      webhooks: [
        {
          name: webhookName,
          admissionReviewVersions: ['v1'],
          clientConfig: { service },
          failurePolicy: 'Fail',
          reinvocationPolicy: 'IfNeeded',
          sideEffects: 'NoneOnDryRun',
          timeoutSeconds: 3,
          rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE', 'UPDATE'] }],
        },
      ],
    },
  });
}

function reasonsOf(pod: V1Pod): Record<string, number> {
  const reasons: Record<string, number> = {};
  const note = JSON.parse(pod.metadata?.annotations?.['kuik.enix.io/reason'] ?? '{}') as Record<string, string>;
  for (const reason of Object.values(note)) reasons[reason] = (reasons[reason] ?? 0) + 1;
  return reasons;
}

function textOf(error: unknown): string {
  // the client repeats the whole answer, escaped
  const message = (error instanceof Error ? error.message : String(error)).replaceAll('\\', '');
  const at = message.indexOf('failed calling webhook');
  return at < 0 ? message : message.slice(at, at + 300);
}
