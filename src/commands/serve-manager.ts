import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LeaseLeadership } from '../cluster/kubernetes/lease.js';
import { failureInfo, type FailureInfo } from '../domain/failure.js';
import { knownImageRef, type ImageName, type ImageRef, type PlaceId } from '../domain/image-ref.js';
import type { TrackedImage } from '../domain/monitor.js';
import { offersNothing } from '../registry/keyring.js';
import { prepareNamespace } from '../temporal/bootstrap.js';
import { imagesPages } from '../telemetry/images-page.js';
import { createClaimQueue, type ClaimQueue } from '../temporal/claim-queue.js';
import { createKeeperClient, type KeeperClient } from '../temporal/client.js';
import { parseBindAddress } from '../telemetry/http.js';
import type { MonitorClient } from '../temporal/monitor-client.js';
import { endRuntime, installRuntime } from '../temporal/runtime.js';
import { watchReunions } from '../temporal/reunion.js';
import { startWorkers, type Workers } from '../temporal/worker.js';
import { holdRules, type FinalizerDeps } from '../watchers/finalizers.js';
import { importStatus } from '../watchers/import.js';
import { Loop } from '../watchers/loop.js';
import { Monitors } from '../watchers/monitor.js';
import { NewsDesk } from '../watchers/news.js';
import { PodNewsDesk } from '../watchers/pod-news.js';
import { Reconciler } from '../watchers/reconcile.js';
import { isAnswer, RegistryCheck } from '../watchers/registry-check.js';
import { reportRules, type ReportDeps } from '../watchers/report.js';
import { Requests } from '../watchers/requests.js';
import { SecretChanges } from '../watchers/secret-changes.js';
import { SecretCheck } from '../watchers/secret-check.js';
import { SecretCopies } from '../watchers/secret-copies.js';
import { Sightings } from '../watchers/sightings.js';
import { Waiting } from '../watchers/waiting.js';
import { awaitedViews, unsyncedViews } from '../watchers/watch.js';
import { monitorSettingsOf } from '../config/monitoring.js';
import type { Base } from './base.js';
import { leadCluster } from './lead-cluster.js';
import { fallbackSecret, leaseOf, mirrorWork, surroundings } from './mirror-work.js';
import { monitoredSeen, trackedNow } from './monitor-work.js';
import type { ManagerViews, Part } from './part.js';
import { lookAtPicture } from './watch-picture.js';

/** Changes are gathered this long before a pass: a rollout is one picture, not a hundred. */
const gatherMs = 500;
/** A pass without any change: clocks run out, Secrets appear, somebody edits a record. */
const passEveryMs = 20_000;
/** A rule is not ready before its registries have answered, or had this long: milliseconds. */
const registryPatienceMs = 5_000;
/** A view that only adds something is not waited for any longer: its right may never be granted. */
const longestWaitMs = 30_000;
/** A deleted rule waits for its claims to be released, which nothing else tells. */
const lookAgainMs = 2_000;
/** Everything is written again, in case a record was edited behind our back. */
const forgetEveryMs = 10 * 60_000;
/** A rollout of a thousand Pods is a thousand events: 20 a second are nothing to an API server. */
const betweenEventsMs = 50;

const workflowBundle = fileURLToPath(new URL('../../workflows.bundle.js', import.meta.url));

/** Watchers, on the replica that leads, and Temporal workers, on every replica. */
export function createManager(base: Base, views: ManagerViews): Part {
  const manager = new Manager(base, views);
  return {
    checks: [{ name: 'workers', ready: () => manager.ready() }],
    pages: imagesPages(() => trackedNow(surroundings(base, views))),
    onChange: () => manager.onChange(),
    run: (signal) => manager.run(signal),
  };
}

class Manager {
  readonly #base: Base;
  readonly #views: ManagerViews;
  readonly #leadership: LeaseLeadership;
  readonly #client: KeeperClient;
  readonly #news: NewsDesk;
  readonly #podNews: PodNewsDesk;
  readonly #secretChanges: SecretChanges;
  readonly #sightings: Sightings;
  readonly #waiting = new Waiting();
  readonly #startedAt = Date.now();
  #loop: Loop | undefined;
  #reconciler: Reconciler | undefined;
  #workers: Workers | undefined;
  #checks: MonitorClient | undefined;
  #monitors: Monitors | undefined;
  /** as of the last pass */
  #tracked: readonly TrackedImage[] = [];
  #searchable: boolean | undefined;

  constructor(base: Base, views: ManagerViews) {
    this.#base = base;
    this.#views = views;
    this.#leadership = base.cluster.leadership({ namespace: base.environment.installNamespace, identity: base.instance });
    const telling = { cluster: base.cluster, onError: (error: unknown) => base.log.debug({ err: error }, 'an event could not be written') };
    this.#news = new NewsDesk(telling);
    this.#podNews = new PodNewsDesk({ ...telling, pause: () => wait(betweenEventsMs, undefined, { ref: false }) });
    this.#secretChanges = new SecretChanges({
      read: (ref) => base.cluster.secret(ref),
      podsUsing: (image) => views.usage.podsOf(image),
      fallback: (host) => fallbackSecret(base.config, host),
      now: Date.now,
    });
    this.#client = createKeeperClient({ endpoint: base.config.temporal, searchable: () => this.#searchable });
    this.#sightings = new Sightings({
      record: (image) => views.records.byImage(image),
      resync: (destination) => this.#client.resync(destination),
      v1ProxyPort: base.config.migration.v1ProxyPort,
      ...base.config.routing.activeCheck.staleMirrorCleanup,
      onError: (error) => base.log.warn({ err: error }, 'a keeper cannot be asked to look again, trying later'),
      now: Date.now,
      sleep,
    });
  }

  ready(): true | string {
    if (this.#workers === undefined) return 'waiting for the cluster and for Temporal';
    return this.#workers.hasPolled || `waiting for Temporal at ${this.#base.config.temporal.address}`;
  }

  onChange(): void {
    this.#loop?.ask();
  }

  async run(signal: AbortSignal): Promise<void> {
    installRuntime(this.#base.log, sdkMetricsAddress(this.#base.flags.temporalMetricsBindAddress));
    await this.#manage(signal).finally(endRuntime);
  }

  async #manage(signal: AbortSignal): Promise<void> {
    const { log, metrics } = this.#base;
    metrics.manager.isUp(true);
    metrics.manager.isLeader(false);
    metrics.watchTemporal(() => (this.#client.connection() === 'unknown' ? undefined : this.#client.connection() === 'connected'));
    metrics.watchPicture(() => (this.#leads() ? lookAtPicture(this.#base, this.#views, this.#waiting) : undefined));
    metrics.watchMonitored(() => (this.#leads() ? monitoredSeen(this.#tracked, Date.now()) : undefined));
    const clusterId = await this.#clusterId(signal);
    if (clusterId === undefined) return;
    log.info({ clusterId }, 'managing');

    const queue = this.#claimQueue(clusterId);
    this.#checks = this.#client.monitors(clusterId);
    this.#monitors = this.#makeMonitors(this.#checks);
    await Promise.all([this.#watch(clusterId, queue, signal), this.#work(clusterId, signal), this.#meetTemporal(clusterId, queue, signal)]);
    await this.#client.close();
  }

  /** Tried until the API server answers. */
  async #clusterId(signal: AbortSignal): Promise<string | undefined> {
    const { config, cluster, log } = this.#base;
    if (config.clusterId !== undefined) return config.clusterId;
    for (let pauseMs = 500; !signal.aborted; pauseMs = Math.min(30_000, pauseMs * 2)) {
      try {
        return await cluster.namespaceUid('kube-system');
      } catch (error) {
        log.warn({ err: error }, 'the identity of the cluster cannot be read, trying again');
        await sleep(pauseMs, signal);
      }
    }
    return undefined;
  }

  #claimQueue(cluster: string): ClaimQueue {
    const { config, log } = this.#base;
    let sent = 0;
    return createClaimQueue({
      client: this.#client,
      cluster,
      // orders what successive leaders of one cluster say: the term first, then a counter
      generation: () => this.#leadership.term * 1_000_000_000 + (sent += 1),
      now: Date.now,
      sleep,
      onError: (error) => log.warn({ err: error }, 'a claim waits: the keeper cannot be told'),
      onOrphan: (destination) => this.#reconciler?.adopt(destination),
      ...leaseOf(config),
    });
  }

  #makeMonitors(client: MonitorClient): Monitors {
    const { config, log } = this.#base;
    return new Monitors({
      configure: (registry, settings) => client.configure(registry, settings),
      paceOf: (host) => monitorSettingsOf(config.monitoring, host),
      onError: (error) => log.warn({ err: error }, 'the monitor of a registry cannot be told, trying again'),
      now: Date.now,
    });
  }

  /** After an outage everything is said once more: what was sent before may be lost. */
  async #meetTemporal(cluster: string, queue: ClaimQueue, signal: AbortSignal): Promise<void> {
    const { log } = this.#base;
    const onReunion = (why: string): void => {
      log.info({ why }, 'temporal is back, claiming everything again');
      queue.forget();
      this.#monitors?.forget();
      this.#loop?.ask();
    };
    const onUnmarked = (): void => log.info({}, 'not allowed to leave a mark in the namespace of temporal: of a database that is brought back within seconds only the daily sweep learns');
    const sent = (): number | undefined => (this.#leadership.isLeader ? queue.taken : undefined);
    await watchReunions({ client: this.#client, cluster, sent, newMark: randomUUID, prepare: () => this.#prepare(signal), onReunion, onUnmarked, sleep }, signal);
  }

  async #prepare(signal: AbortSignal): Promise<void> {
    const { config, log } = this.#base;
    this.#searchable = (await prepareNamespace({ endpoint: config.temporal, log, signal, sleep }))?.searchable;
  }

  async #watch(clusterId: string, queue: ClaimQueue, signal: AbortSignal): Promise<void> {
    const { log, metrics } = this.#base;
    const reconciler = this.#makeReconciler(queue);
    this.#reconciler = reconciler;
    const requests = new Requests();
    const loop = new Loop({
      pass: () => this.#pass(reconciler, requests, queue),
      mayRun: () => this.#leads(),
      onError: (error) => log.warn({ err: error }, 'a pass was incomplete, and is repeated'),
      gatherMs,
      everyMs: passEveryMs,
      signal,
    });
    this.#loop = loop;
    const copies = this.#secretCopies();
    const renewing = this.#copyLoop(copies, signal);
    const forgetting = setInterval(() => reconciler.forget(), forgetEveryMs);

    let term = new AbortController();
    let sending = Promise.resolve();
    const gained = (): void => {
      log.info({ term: this.#leadership.term }, 'leading');
      metrics.manager.isLeader(true);
      term = new AbortController();
      queue.forget();
      reconciler.forget();
      this.#monitors?.forget();
      copies.forget();
      this.#news.forget();
      this.#podNews.forget();
      this.#sightings.forget();
      const leading = AbortSignal.any([signal, term.signal]);
      const others = leadCluster({ base: this.#base, keepers: this.#client, clusterId, isPrepared: () => this.#searchable !== undefined, sleep }, leading);
      sending = Promise.all([queue.run(leading), others]).then(() => undefined);
      loop.ask();
      renewing.ask();
    };
    const lost = (): void => {
      log.info({}, 'no longer leading');
      metrics.manager.isLeader(false);
      term.abort();
      this.#sightings.forget();
    };
    await Promise.all([this.#leadership.run({ gained, lost }, signal), loop.run(), renewing.run()]);
    clearInterval(forgetting);
    await sending;
  }

  #secretCopies(): SecretCopies {
    const { cluster, config, metrics } = this.#base;
    const { rules, usage, namespaces } = this.#views;
    return new SecretCopies({
      cluster,
      rules: () => rules.snapshot(),
      pods: () => usage.pods(),
      namespaces: () => namespaces.snapshot().map(({ name }) => name),
      expiryMs: config.routing.pullSecrets.expiryMs,
      observe: metrics.webhook.pullSecret,
      now: Date.now,
    });
  }

  /** On its own: Secrets that cannot be reached hold up no claim. */
  #copyLoop(copies: SecretCopies, signal: AbortSignal): Loop {
    return new Loop({
      pass: () => copies.pass(),
      mayRun: () => this.#leads(),
      onError: (error) => this.#base.log.warn({ err: error }, 'a copy of a pull Secret waits: it cannot be looked after'),
      gatherMs,
      everyMs: this.#base.config.routing.pullSecrets.renewEveryMs,
      signal,
    });
  }

  #leads(): boolean {
    const isWaiting = awaitedViews(this.#views).length > 0 && Date.now() - this.#startedAt < longestWaitMs;
    return this.#leadership.isLeader && unsyncedViews(this.#views).length === 0 && !isWaiting;
  }

  async #pass(reconciler: Reconciler, requests: Requests, queue: ClaimQueue): Promise<void> {
    this.#sightings.look(this.#views.usage.pods());
    this.#podNews.look(this.#views.usage.pods());
    await reconciler.pass();
    const { records, rules } = this.#views;
    const retry = async (destination: PlaceId): Promise<void> => {
      if ((await this.#client.retry(destination)) === 'absent') queue.again(destination);
    };
    await requests.carryOut({ records, cluster: this.#base.cluster, retry, check: (image) => this.#checkNow(image) });
    await this.#secretChanges.carryOut(records.snapshot(), rules.snapshot(), retry);
  }

  async #checkNow(image: ImageName): Promise<void> {
    const { host } = knownImageRef(image);
    if ((await this.#checks?.checkNow(host, image)) !== 'absent') return;
    await this.#monitors?.start(host);
    await this.#checks?.checkNow(host, image);
  }

  #makeReconciler(queue: ClaimQueue): Reconciler {
    const { cluster, config } = this.#base;
    const views = this.#views;
    const secrets = new SecretCheck({ read: (ref) => cluster.secret(ref), isUnusable: offersNothing, now: Date.now });
    const report: ReportDeps = {
      cluster,
      resource: views.resource,
      pods: () => views.usage.pods(),
      secrets,
      registries: new RegistryCheck({ ask: (at) => this.#askRegistry(at), onAnswer: () => this.onChange(), now: Date.now }),
      temporalConnected: () => this.#client.connection() !== 'away',
      paceOf: (host) => monitorSettingsOf(config.monitoring, host),
      isConnected: config.temporal.shared,
      importOld: (rule, status, now) => importStatus(rule, status, now, { cluster }),
    };
    const hold: FinalizerDeps = {
      cluster,
      resource: views.resource,
      owes: (destination) => queue.owes(destination),
      keeper: (destination) => this.#client.status(destination),
      namespaces: () => views.namespaces.snapshot().map(({ name }) => name),
      deadlineMs: config.retention.finalizerDeadlineMs,
      tombstoneMs: config.retention.tombstoneMs,
      onHeld: () => void setTimeout(() => this.#loop?.ask(), lookAgainMs).unref(),
    };
    return new Reconciler({
      ...surroundings(this.#base, views),
      cluster,
      rules: views.rules,
      records: views.records,
      claims: queue,
      tellAgain: (destinations) => void this.#tellAgain(destinations),
      monitor: (images) => {
        this.#tracked = images;
        this.#monitors?.look(images);
      },
      hold: (picture) => holdRules(picture, hold),
      report: (picture) => {
        this.#news.look(picture.records, picture.rules);
        this.#waiting.look(picture);
        return reportRules(picture, report);
      },
    });
  }

  /** @returns why it is silent; undefined when it answered, whatever it said */
  async #askRegistry(at: ImageRef): Promise<FailureInfo | undefined> {
    try {
      await this.#base.registry.head(at, [], { signal: AbortSignal.timeout(registryPatienceMs), purpose: 'check', side: 'destination' });
      return undefined;
    } catch (error) {
      const failure = failureInfo(error) ?? { code: 'timeout', side: 'destination', host: at.host, message: `no answer from ${at.host} within ${registryPatienceMs / 1000} s` };
      return isAnswer(failure) ? undefined : failure;
    }
  }

  /** One after the other: `kubectl delete ia --all` is no reason to hurry, and a keeper that is missed looks by itself daily. */
  async #tellAgain(destinations: readonly PlaceId[]): Promise<void> {
    for (const destination of destinations) {
      await this.#client.resync(destination).catch((error: unknown) => this.#base.log.warn({ err: error, destination }, 'a keeper cannot be asked about its copy'));
    }
  }

  async #work(clusterId: string, signal: AbortSignal): Promise<void> {
    const { config, log } = this.#base;
    await this.#prepare(signal);
    // activities find credentials in the views: before the first lists no rule would hold any destination
    while (!signal.aborted && unsyncedViews(this.#views).length > 0) await sleep(100, signal);
    if (signal.aborted) return;

    const activities = mirrorWork(this.#base, this.#views, { clusterId, keepers: this.#client });
    this.#workers = startWorkers({ endpoint: config.temporal, cluster: clusterId, activities, workflowBundle, servesWorkflows: config.temporal.servesWorkflows, log, random: Math.random, sleep }, signal);
    await this.#workers.done;
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => undefined);
}

/** Its native side wants an address with a host: every one of this machine, IPv6 included where there is any. */
function sdkMetricsAddress(address: string): string | undefined {
  if (address === '0') return undefined;
  const { host, port } = parseBindAddress(address);
  const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ family }) => family === 'IPv6'));
  return host === undefined ? `${hasIpv6 ? '[::]' : '0.0.0.0'}:${port}` : address;
}
