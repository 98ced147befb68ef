import { Failure } from '../domain/failure.js';
import type { ImageName } from '../domain/image-ref.js';
import { fieldManagers, labels, type FieldManager } from '../domain/names.js';
import type { ImageRecord, PlaceRecord, RecordUsage } from '../domain/record.js';
import { ruleKinds, type SecretRef } from '../domain/rule.js';
import { workloadKinds, type Pod } from '../domain/usage.js';
import type {
  Change,
  Cluster,
  ClusterEvent,
  ConfigMap,
  ObjectRef,
  NoteRef,
  RegisteredWebhook,
  Resource,
  WatchHealth,
  Watched,
  WatchedKind,
  WebhookConfiguration,
} from './cluster.js';
import type { AppliedSecret, Secret } from '../domain/secret.js';
import { EventSeries } from './event-series.js';
import { Collection } from './memory/collection.js';
import { definedOnly, emptyRecord, mergedRecord, storedRecord, withPart, withParts, type StoredRecord } from './memory/records.js';
import { partOf } from './ownership.js';
import { recordName } from './record-name.js';

type RuleRef = Pick<Resource, 'kind' | 'namespace' | 'name'>;
type Collections = { readonly [K in WatchedKind]: Collection<Watched[K]> };

const watchedKinds: readonly WatchedKind[] = [...ruleKinds, ...workloadKinds, 'ImageAvailability', 'Pod', 'Namespace', 'Node'];

/**
 * The twin of a cluster: the same behaviour in memory. Beside the port it has what a test needs of an API
 * server: `put` and `remove` of objects, `settle`, and `outage`.
 */
export class MemoryCluster implements Cluster {
  /** Events as they would be stored; `count` grows while a series is counted. */
  readonly events: { readonly event: ClusterEvent; count: number }[] = [];
  readonly webhookConfigurations = new Map<string, WebhookConfiguration>();
  /** While set, every call fails with it and watches stand still. */
  #outage: Failure | undefined;
  readonly #now: () => number;
  readonly #collections: Collections;
  readonly #records = new Map<ImageName, StoredRecord>();
  readonly #secrets = new Map<string, { readonly secret: Secret; readonly manager?: FieldManager }>();
  readonly #configMaps = new Map<string, ConfigMap>();
  readonly #notes = new Map<string, string>();
  readonly #series = new EventSeries();
  #version = 0;

  /** @param options.now milliseconds since the epoch; stands still unless given */
  constructor(options: { readonly now?: () => number } = {}) {
    this.#now = options.now ?? (() => 0);
    this.#collections = Object.fromEntries(watchedKinds.map((kind) => [kind, new Collection(kind, this.#now)])) as unknown as Collections;
  }

  // --- what a test does to the cluster

  /** Creates or replaces an object, whatever it depends on. */
  put<K extends WatchedKind>(kind: K, object: Watched[K]): void {
    if (kind === 'ImageAvailability') this.#store(storedRecord(object as ImageRecord, this.#nextId()));
    else this.#collection(kind).put(keyOf(object), object);
  }

  /** @param key `namespace/name`, or `name` */
  remove(kind: WatchedKind, key: string): void {
    const record = kind === 'ImageAvailability' ? this.#collections.ImageAvailability.get(key) : undefined;
    if (record !== undefined) this.#records.delete(record.image);
    this.#collections[kind].remove(key);
  }

  putSecret(secret: Pick<Secret, 'namespace' | 'name' | 'data'> & Partial<Secret>): void {
    const id = this.#nextId();
    const whole = { uid: id, type: 'kubernetes.io/dockerconfigjson', labels: {}, annotations: {}, ...secret, resourceVersion: id };
    this.#secrets.set(secretKey(secret), { secret: whole });
  }

  removeSecret(ref: SecretRef): void {
    this.#secrets.delete(secretKey(ref));
  }

  /** Takes the API server away, and brings it back with `undefined`. */
  outage(failure: Failure | undefined): void {
    this.#outage = failure;
    for (const kind of watchedKinds) this.#collections[kind].hold(failure !== undefined);
  }

  /** Resolves when every watcher has seen every change. */
  async settle(): Promise<void> {
    while (watchedKinds.some((kind) => !this.#collections[kind].isSettled)) await Promise.resolve();
  }

  // --- the port

  watch<K extends WatchedKind>(kind: K, onChange: (change: Change<Watched[K]>) => void, signal: AbortSignal, namespace?: string): Promise<void> {
    const isSeen = (change: Change<Watched[K]>): boolean => change.type === 'synced' || isWithin(change.key, namespace);
    return this.#collection(kind).watch((change) => (isSeen(change) ? onChange(change) : undefined), signal);
  }

  watchHealth(): readonly WatchHealth[] {
    return watchedKinds.flatMap((kind) => this.#collections[kind].health());
  }

  async list<K extends WatchedKind>(kind: K, namespace?: string): Promise<readonly Watched[K][]> {
    this.#reach();
    return this.#collection(kind).all().filter((object) => isWithin(keyOf(object), namespace));
  }

  async pod(namespace: string, name: string): Promise<Pod | undefined> {
    this.#reach();
    return this.#collections.Pod.get(`${namespace}/${name}`);
  }

  async namespaceUid(name: string): Promise<string> {
    this.#reach();
    if (this.#collections.Namespace.get(name) === undefined) throw missing(`namespace ${name}`);
    return `uid-of-${name}`;
  }

  async secret(ref: SecretRef): Promise<Secret | undefined> {
    this.#reach();
    return this.#secrets.get(secretKey(ref))?.secret;
  }

  async applySecret(applied: AppliedSecret, manager: FieldManager): Promise<void> {
    this.#reach();
    const known = this.#secrets.get(secretKey(applied));
    const mayTakeOver = manager === fieldManagers.certificates || known === undefined || known.manager === manager || isOurs(known.secret, applied);
    if (!mayTakeOver) {
      throw new Failure({ code: 'conflict', side: 'cluster', message: `secret ${secretKey(applied)} was made by somebody else` });
    }
    if (applied.version !== undefined && known?.secret.resourceVersion !== applied.version) throw changed(applied);
    if (known !== undefined && known.secret.type !== applied.type) {
      throw new Failure({ code: 'invalid', side: 'cluster', message: `secret ${secretKey(applied)} is of type ${known.secret.type}, which never changes` });
    }
    const { namespace, name, type, data } = applied;
    const secret: Secret = {
      namespace,
      name,
      type,
      data,
      uid: known?.secret.uid ?? this.#nextId(),
      resourceVersion: this.#nextId(),
      labels: { ...known?.secret.labels, ...applied.labels },
      // what this manager said before and does not say now goes
      annotations: { ...(known?.manager === manager ? {} : known?.secret.annotations), ...applied.annotations },
    };
    this.#secrets.set(secretKey(applied), { secret, manager });
  }

  async createSecret(secret: AppliedSecret): Promise<'created' | 'present'> {
    if ((await this.secret(secret)) !== undefined) return 'present';
    this.putSecret(secret);
    return 'created';
  }

  async deleteSecret(ref: SecretRef, version?: string): Promise<void> {
    this.#reach();
    const known = this.#secrets.get(secretKey(ref))?.secret;
    if (known !== undefined && version !== undefined && known.resourceVersion !== version) throw changed(ref);
    this.#secrets.delete(secretKey(ref));
  }

  async configMap(ref: ObjectRef): Promise<ConfigMap | undefined> {
    this.#reach();
    return this.#configMaps.get(secretKey(ref));
  }

  async setConfigMap({ namespace, name }: ObjectRef, data: Readonly<Record<string, string>>): Promise<void> {
    this.#reach();
    const known = this.#configMaps.get(secretKey({ namespace, name }));
    this.#configMaps.set(secretKey({ namespace, name }), { namespace, name, data: { ...known?.data, ...data }, annotations: known?.annotations ?? {} });
  }

  async annotateConfigMap(ref: ObjectRef, annotations: Readonly<Record<string, string | undefined>>, { dryRun = false } = {}): Promise<void> {
    this.#reach();
    const known = this.#configMaps.get(secretKey(ref));
    if (known === undefined) throw missing(`config map ${secretKey(ref)}`);
    if (!dryRun) this.#configMaps.set(secretKey(ref), { ...known, annotations: definedOnly({ ...known.annotations, ...annotations }) });
  }

  async record(image: ImageName): Promise<ImageRecord | undefined> {
    this.#reach();
    const stored = this.#records.get(image);
    return stored === undefined ? undefined : mergedRecord(stored);
  }

  async applyUsage(usage: RecordUsage): Promise<void> {
    this.#reach();
    const known = this.#records.get(usage.image) ?? emptyRecord(usage.image, this.#nextId());
    const parts = usage.places.map((place) => partOf(place, 'kuik-usage'));
    this.#store(withParts({ ...known, usage }, 'kuik-usage', parts));
  }

  async changePlace(
    image: ImageName,
    reference: ImageName,
    manager: 'kuik-mirror' | 'kuik-monitor',
    change: (place: PlaceRecord) => PlaceRecord,
  ): Promise<'changed' | 'unchanged' | 'absent'> {
    this.#reach();
    const stored = this.#records.get(image);
    if (stored === undefined) return 'absent';

    const before = mergedRecord(stored).places.find((place) => place.reference === reference) ?? { reference };
    const after = partOf(change(before), manager);
    if (JSON.stringify(after) === JSON.stringify(partOf(before, manager))) return 'unchanged';
    this.#store(withPart(stored, manager, after));
    return 'changed';
  }

  async deleteRecord(image: ImageName): Promise<void> {
    this.#reach();
    this.#records.delete(image);
    this.#collections.ImageAvailability.remove(recordName(image));
  }

  async annotateRecord(image: ImageName, annotations: Readonly<Record<string, string | undefined>>, { dryRun = false } = {}): Promise<ImageRecord> {
    this.#reach();
    const stored = this.#records.get(image);
    if (stored === undefined) throw missing(`record of ${image}`);
    const annotated = { ...stored, annotations: definedOnly({ ...stored.annotations, ...annotations }) };
    if (!dryRun) this.#store(annotated);
    return mergedRecord(annotated);
  }

  async takeAnnotation(image: ImageName, annotation: string, value: string): Promise<void> {
    this.#reach();
    const stored = this.#records.get(image);
    if (stored?.annotations[annotation] === value) this.#store({ ...stored, annotations: definedOnly({ ...stored.annotations, [annotation]: undefined }) });
  }

  async applyRuleStatus(rule: RuleRef, status: object): Promise<void> {
    this.#changeRule(rule, (resource) => ({ ...resource, status }));
  }

  async setFinalizer(rule: RuleRef, finalizer: string, present: boolean): Promise<void> {
    this.#changeRule(rule, (resource) => {
      const others = resource.finalizers.filter((known) => known !== finalizer);
      return { ...resource, finalizers: present ? [...others, finalizer] : others };
    });
  }

  async changeNote<T>({ namespace, name }: NoteRef, change: (text: string | undefined) => { readonly text: string | undefined; readonly answer: T }): Promise<T> {
    this.#reach();
    const key = `${namespace}/${name}`;
    const { text, answer } = change(this.#notes.get(key));
    if (text !== undefined) this.#notes.set(key, text);
    return answer;
  }

  async registeredWebhook(name: string): Promise<RegisteredWebhook | undefined> {
    this.#reach();
    const known = this.webhookConfigurations.get(name);
    return known && { reachedBy: 'url' in known.client ? 'url' : 'service', caBundle: known.caBundle };
  }

  async applyWebhookConfiguration(configuration: WebhookConfiguration): Promise<void> {
    this.#reach();
    const known = this.webhookConfigurations.get(configuration.name);
    if (configuration.write === 'caBundle' && known === undefined) throw missing(`webhook configuration ${configuration.name}`);
    const { caBundle } = configuration;
    this.webhookConfigurations.set(configuration.name, configuration.write === 'caBundle' && known !== undefined ? { ...known, caBundle } : configuration);
  }

  async emitEvent(event: ClusterEvent): Promise<void> {
    this.#reach();
    const next = this.#series.next(event, this.#now());
    if (next.step === 'create') {
      const known = event.once === undefined ? -1 : this.events.findIndex((other) => other.event.once === event.once && other.event.regarding.name === event.regarding.name);
      this.#series.created(event, String(known === -1 ? this.events.length : known));
      if (known === -1) this.events.push({ event, count: 1 });
    } else if (next.step === 'update') {
      const written = this.events[Number(next.name)];
      if (written !== undefined) written.count = next.count;
    }
  }

  #changeRule(rule: RuleRef, change: (resource: Resource) => Resource): void {
    this.#reach();
    const key = rule.namespace === undefined ? rule.name : `${rule.namespace}/${rule.name}`;
    const known = this.#collections[rule.kind].get(key);
    if (known === undefined) return;
    const changed = change(known);
    // as in a real cluster, a deleted object goes with its last finalizer
    if (changed.deletionTimestamp !== undefined && changed.finalizers.length === 0) this.#collections[rule.kind].remove(key);
    else this.#collections[rule.kind].put(key, changed);
  }

  #store(stored: StoredRecord): void {
    this.#records.set(stored.image, stored);
    this.#collections.ImageAvailability.put(recordName(stored.image), mergedRecord(stored));
  }

  #collection<K extends WatchedKind>(kind: K): Collection<Watched[K]> {
    return this.#collections[kind];
  }

  #nextId(): string {
    this.#version += 1;
    return String(this.#version);
  }

  #reach(): void {
    if (this.#outage !== undefined) throw this.#outage;
  }
}

function keyOf(object: Watched[WatchedKind]): string {
  return 'key' in object ? object.key : object.name;
}

/** @param key `namespace/name` */
function isWithin(key: string, namespace: string | undefined): boolean {
  return namespace === undefined || key.startsWith(`${namespace}/`);
}

function secretKey(ref: SecretRef): string {
  return `${ref.namespace}/${ref.name}`;
}

function isOurs(secret: Secret, applied: AppliedSecret): boolean {
  const owner = applied.labels?.[labels.ownerUid];
  return owner !== undefined && secret.labels[labels.ownerUid] === owner;
}

function changed(ref: SecretRef): Failure {
  return new Failure({ code: 'conflict', side: 'cluster', message: `secret ${secretKey(ref)} has changed` });
}

function missing(what: string): Failure {
  return new Failure({ code: 'missing', side: 'cluster', message: `${what} not found` });
}
