import { Failure } from '../../domain/failure.js';
import { podOf } from '../../domain/pod.js';
import type { WorkloadKind } from '../../domain/usage.js';
import type { Change, Cluster, ObjectRef, WatchHealth, Watched, WatchedKind } from '../cluster.js';
import { mayAccount, mayI, reviewAccess, type AccessReview, type Deed } from './access.js';
import { annotateConfigMap, readConfigMap, setConfigMap } from './config-map.js';
import { applyDefinition, readDefinition, type Definition } from './definition.js';
import { Events } from './event.js';
import type { KubeConfig } from '@kubernetes/client-node';
import { LeaseLeadership, type LeaseOptions } from './lease.js';
import { Expired, ListWatch, type RawObject } from './list-watch.js';
import { changeNote } from './note.js';
import { listObjects, type ApiObject, type ObjectQuery } from './objects.js';
import { forwardPort, type Tunnel } from './port-forward.js';
import { projections } from './projections.js';
import { annotateRecord, applyUsage, changePlace, deleteRecord, readRecord, takeAnnotation } from './record.js';
import { Reflector, type ReflectorOptions } from './reflector.js';
import { Requests, type RequestsOptions } from './requests.js';
import { clusterRoleBindingType, replicaSetType, serviceAccountType, watchedTypes, webhookType, type ResourceType } from './resources.js';
import { applyRuleStatus, setFinalizer, suspendRule, type RuleRef, type Suspension } from './rule.js';
import { applySecret, createSecret, deleteSecret, readSecret } from './secret.js';
import { applyWebhookConfiguration, registeredWebhook } from './webhook-configuration.js';

export interface ClusterOptions extends RequestsOptions {
  readonly watch?: ReflectorOptions;
  /** who reports our events: usually the name of our Pod */
  readonly instance?: string;
  /** objects of one page of a list */
  readonly pageSize?: number;
  /** milliseconds since the epoch */
  readonly now?: () => number;
  readonly random?: () => number;
}

/** Workloads a person may name. */
export type TemplateKind = WorkloadKind | 'ReplicaSet';

/** A cluster reached over HTTP, with what the port does not know: leader election, what only people ask for, and an end. */
export interface KubernetesCluster extends Cluster {
  /** that of the kubeconfig's context */
  readonly namespace: string;
  /** Suspends a rule as `kuik-cli`, or takes that back. */
  suspendRule(rule: RuleRef, suspended: boolean, options: { readonly dryRun: 'none' | 'client' | 'server' }): Promise<Suspension>;
  /** name of that context */
  readonly context: string;
  /** A workload as a manifest has it. */
  manifest(kind: TemplateKind, namespace: string, name: string): Promise<unknown>;
  /** Objects of any kind as manifests have them; undefined when the API server does not know the kind. */
  objects(type: ResourceType, query?: ObjectQuery): Promise<readonly ApiObject[] | undefined>;
  /** One object, or undefined. */
  object(type: ResourceType, ref: { readonly namespace?: string; readonly name: string }): Promise<ApiObject | undefined>;
  /** Names of the pull Secrets that a ServiceAccount gives to Pods; none when it does not exist. */
  pullSecretsOf(namespace: string, serviceAccount: string): Promise<readonly string[]>;
  /** What became of the annotations of a Pod that is created as a dry run: admitted, and not stored. */
  tryPod(namespace: string, pod: object): Promise<Readonly<Record<string, string>>>;
  /** Removing what is gone already is success: both say whether it was there. */
  removeWebhook(name: string): Promise<'removed' | 'absent'>;
  /** Takes the rights away that a ClusterRoleBinding gives. */
  removeBinding(name: string): Promise<'removed' | 'absent'>;
  /** Who has a token, and whether a role lets them get a path that is no resource. */
  reviewAccess(token: string, path: string): Promise<AccessReview>;
  /** The last lines of a container's log, at most 4 MiB; `previous`: of the one before it was restarted. */
  podLog(pod: ObjectRef, options: { readonly container: string; readonly lastLines: number; readonly previous: boolean }): Promise<string>;
  /** A port of a Pod on this machine. @throws Failure `denied` without the right to create pods/portforward */
  forward(pod: ObjectRef, port: number, localPort?: number): Promise<Tunnel>;
  /** Whether whoever asks may do something. */
  mayI(deed: Deed): Promise<boolean>;
  /** Whether a ServiceAccount may. */
  mayAccount(account: ObjectRef, deed: Deed): Promise<boolean>;
  /** The CustomResourceDefinition of one of our kinds, by its name. */
  definition(name: string): Promise<Definition | undefined>;
  /** Applies a definition, over whoever wrote it before. */
  applyDefinition(definition: Parameters<typeof applyDefinition>[1]): Promise<Definition>;
  leadership(options: LeaseOptions): LeaseLeadership;
  close(): void;
}

export function connectCluster(config: KubeConfig, options: ClusterOptions = {}): KubernetesCluster {
  const { instance = 'kuik', pageSize, now = Date.now, random = Math.random } = options;
  const requests = new Requests(config, options);
  const events = new Events(requests, { instance, now, random });
  const watches = new Map<Pick<Reflector<unknown>, 'health'>, WatchedKind>();
  const source = (kind: WatchedKind, namespace?: string): ListWatch => new ListWatch(requests, watchedTypes[kind], { pageSize, namespace });

  return {
    async watch<K extends WatchedKind>(kind: K, onChange: (change: Change<Watched[K]>) => void, signal: AbortSignal, namespace?: string): Promise<void> {
      const reflector = new Reflector(source(kind, namespace), projections[kind], onChange, { now, random, ...options.watch });
      watches.set(reflector, kind);
      await reflector.run(signal);
      watches.delete(reflector);
    },
    watchHealth: (): readonly WatchHealth[] => [...watches].map(([reflector, kind]) => ({ kind, ...reflector.health })),
    list: (kind, namespace) => listAll(source(kind, namespace), kind),

    async pod(namespace, name) {
      const pod = await requests.jsonOrNothing({ verb: 'get', type: watchedTypes.Pod, namespace, name });
      return pod === undefined ? undefined : podOf(pod);
    },
    async namespaceUid(name) {
      const namespace = (await requests.json({ verb: 'get', type: watchedTypes.Namespace, name })) as { metadata: { uid: string } };
      return namespace.metadata.uid;
    },

    secret: (ref) => readSecret(requests, ref),
    applySecret: (secret, manager) => applySecret(requests, secret, manager),
    createSecret: (secret) => createSecret(requests, secret),
    deleteSecret: (ref, version) => deleteSecret(requests, ref, version),

    configMap: (ref) => readConfigMap(requests, ref),
    setConfigMap: (ref, data) => setConfigMap(requests, ref, data),
    annotateConfigMap: (ref, annotations, options) => annotateConfigMap(requests, ref, annotations, options),

    record: (image) => readRecord(requests, image),
    applyUsage: (usage) => applyUsage(requests, usage),
    changePlace: (image, reference, manager, change) => changePlace(requests, image, reference, manager, change),
    deleteRecord: (image) => deleteRecord(requests, image),
    annotateRecord: (image, annotations, options) => annotateRecord(requests, image, annotations, options),
    takeAnnotation: (image, annotation, value) => takeAnnotation(requests, image, annotation, value),

    applyRuleStatus: (rule, status) => applyRuleStatus(requests, rule, status),
    setFinalizer: (rule, finalizer, present) => setFinalizer(requests, rule, finalizer, present),
    suspendRule: (rule, suspended, options) => suspendRule(requests, rule, suspended, options),
    changeNote: (note, change) => changeNote(requests, note, change),
    registeredWebhook: (name) => registeredWebhook(requests, name),
    applyWebhookConfiguration: (configuration) => applyWebhookConfiguration(requests, configuration),
    emitEvent: (event) => events.emit(event),

    context: config.getCurrentContext(),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    async manifest(kind, namespace, name) {
      const type = kind === 'ReplicaSet' ? replicaSetType : watchedTypes[kind];
      return requests.jsonOrNothing({ verb: 'get', type, namespace, name });
    },
    objects: (type, query) => listObjects(requests, type, query),
    object: async (type, ref) => (await requests.jsonOrNothing({ verb: 'get', type, ...ref })) as ApiObject | undefined,
    async pullSecretsOf(namespace, serviceAccount) {
      const account = (await requests.jsonOrNothing({ verb: 'get', type: serviceAccountType, namespace, name: serviceAccount })) as { imagePullSecrets?: readonly { name?: string }[] } | undefined;
      return account?.imagePullSecrets?.flatMap(({ name }) => name ?? []) ?? [];
    },
    async tryPod(namespace, pod) {
      const { metadata } = (await requests.json({ verb: 'create', type: watchedTypes.Pod, namespace, query: { dryRun: 'All' }, body: pod })) as { metadata: { annotations?: Record<string, string> } };
      return metadata.annotations ?? {};
    },
    removeWebhook: (name) => remove(requests, webhookType, name),
    removeBinding: (name) => remove(requests, clusterRoleBindingType, name),
    reviewAccess: (token, path) => reviewAccess(requests, token, path),
    podLog: ({ namespace, name }, { container, lastLines: tailLines, previous }) =>
      requests.text({ verb: 'get', type: watchedTypes.Pod, namespace, name, subresource: 'log', query: { container, tailLines, previous, limitBytes: 4 * 1024 * 1024, timestamps: true } }),
    forward: (pod, port, localPort) => forwardPort(config, pod, port, localPort),
    mayI: (deed) => mayI(requests, deed),
    mayAccount: (account, deed) => mayAccount(requests, account, deed),
    definition: (name) => readDefinition(requests, name),
    applyDefinition: (definition) => applyDefinition(requests, definition),
    leadership: (lease) => new LeaseLeadership(requests, lease),
    close: () => requests.close(),
  };
}

async function remove(requests: Requests, type: ResourceType, name: string): Promise<'removed' | 'absent'> {
  return (await requests.jsonOrNothing({ verb: 'delete', type, name })) === undefined ? 'absent' : 'removed';
}

const listAttempts = 3;

/** Pages of one list only; when the server forgets it half-way, the whole list is read again. */
async function listAll<K extends WatchedKind>(source: ListWatch, kind: K): Promise<readonly Watched[K][]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const found: Watched[K][] = [];
      for await (const page of source.pages(new AbortController().signal)) {
        for (const object of page.items) found.push(projected(kind, object));
      }
      return found;
    } catch (error) {
      if (!(error instanceof Expired)) throw error;
      if (attempt === listAttempts) throw new Failure({ code: 'conflict', side: 'cluster', message: `list of ${kind} changed faster than it could be read` }, { cause: error });
    }
  }
}

/** A watch leaves out what it cannot read, and says so; a list that was asked for has to be whole. */
function projected<K extends WatchedKind>(kind: K, object: RawObject): Watched[K] {
  try {
    return projections[kind].project(object);
  } catch (error) {
    throw new Failure({ code: 'corrupt', side: 'cluster', message: `${kind} ${object.metadata.name} makes no sense` }, { cause: error });
  }
}
