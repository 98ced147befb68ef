import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LeaseLeadership } from '../../cluster/kubernetes/lease.js';
import { prepareNamespace } from '../../temporal/bootstrap.js';
import { imagesPages } from '../../telemetry/images-page.js';
import { createClaimQueue, type ClaimQueue } from '../../temporal/claim-queue.js';
import { createKeeperClient, type KeeperClient } from '../../temporal/client.js';
import { parseBindAddress } from '../../telemetry/http.js';
import { endRuntime, installRuntime } from '../../temporal/runtime.js';
import { watchReunions, type Reunion } from '../../temporal/reunion.js';
import { startWorkers, type Workers } from '../../temporal/worker.js';
import { Loop } from '../../watchers/loop.js';
import { SecretCopies } from '../../watchers/secret-copies.js';
import { awaitedViews, unsyncedViews } from '../../watchers/watch.js';
import type { Base } from './base.js';
import { leadCluster } from './leader.js';
import { leaseOf, mirrorWork, surroundings } from './mirror-work.js';
import { monitoredSeen, trackedNow } from './monitor-work.js';
import type { ManagerViews, Part } from './part.js';
import { gatherMs, PictureLoop } from './picture-loop.js';
import { lookAtPicture } from './watch-picture.js';

/** A view that only adds something is not waited for any longer: its right may never be granted. */
const longestWaitMs = 30_000;

const workflowBundle = fileURLToPath(new URL('../../../workflows.bundle.js', import.meta.url));

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
  readonly #startedAt = Date.now();
  #pictures: PictureLoop | undefined;
  #workers: Workers | undefined;
  #searchable: boolean | undefined;

  constructor(base: Base, views: ManagerViews) {
    this.#base = base;
    this.#views = views;
    this.#leadership = base.cluster.leadership({ namespace: base.environment.installNamespace, identity: base.instance });
    this.#client = createKeeperClient({ endpoint: base.config.temporal, searchable: () => this.#searchable });
  }

  ready(): true | string {
    if (this.#workers === undefined) return 'waiting for the cluster and for Temporal';
    return this.#workers.hasPolled || `waiting for Temporal at ${this.#base.config.temporal.address}`;
  }

  onChange(): void {
    this.#pictures?.ask();
  }

  async run(signal: AbortSignal): Promise<void> {
    installRuntime(this.#base.log, sdkMetricsAddress(this.#base.flags.temporalMetricsBindAddress));
    await this.#manage(signal).finally(endRuntime);
  }

  async #manage(signal: AbortSignal): Promise<void> {
    this.#tellMetrics();
    const clusterId = await this.#clusterId(signal);
    if (clusterId === undefined) return;
    this.#base.log.info({ clusterId }, 'managing');

    const queue = this.#claimQueue(clusterId);
    const monitors = this.#client.monitors(clusterId);
    const pictures = new PictureLoop({ base: this.#base, views: this.#views, client: this.#client, queue, monitors, leads: () => this.#leads(), sleep });
    this.#pictures = pictures;
    await Promise.all([this.#lead({ clusterId, queue, pictures }, signal), pictures.run(signal), this.#work(clusterId, signal), this.#meetTemporal({ clusterId, queue, pictures }, signal)]);
    await this.#client.close();
  }

  #tellMetrics(): void {
    const { metrics } = this.#base;
    metrics.manager.isUp(true);
    metrics.manager.isLeader(false);
    metrics.watchTemporal(() => (this.#client.connection() === 'unknown' ? undefined : this.#client.connection() === 'connected'));
    const ofLeader = <T>(see: (pictures: PictureLoop) => T): T | undefined => (this.#pictures !== undefined && this.#leads() ? see(this.#pictures) : undefined);
    metrics.watchPicture(() => ofLeader(({ waiting }) => lookAtPicture(this.#base, this.#views, waiting)));
    metrics.watchMonitored(() => ofLeader(({ tracked }) => monitoredSeen(tracked, Date.now())));
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
      onOrphan: (destination) => this.#pictures?.noteOrphan(destination),
      ...leaseOf(config),
    });
  }

  #leads(): boolean {
    const isWaiting = awaitedViews(this.#views).length > 0 && Date.now() - this.#startedAt < longestWaitMs;
    return this.#leadership.isLeader && unsyncedViews(this.#views).length === 0 && !isWaiting;
  }

  /** Runs for the leadership. What only the leader does lasts for its term. */
  async #lead({ clusterId, queue, pictures }: Led, signal: AbortSignal): Promise<void> {
    const { log, metrics } = this.#base;
    const copies = this.#secretCopies();
    const renewing = this.#copyLoop(copies, signal);

    let term = new AbortController();
    let sending = Promise.resolve();
    const gained = (): void => {
      log.info({ term: this.#leadership.term }, 'leading');
      metrics.manager.isLeader(true);
      term = new AbortController();
      queue.forget();
      copies.forget();
      const leading = AbortSignal.any([signal, term.signal]);
      const others = leadCluster({ base: this.#base, keepers: this.#client, clusterId, isPrepared: () => this.#searchable !== undefined, sleep }, leading);
      sending = Promise.all([queue.run(leading), others]).then(() => undefined);
      pictures.begin();
      renewing.ask();
    };
    const lost = (): void => {
      log.info({}, 'no longer leading');
      metrics.manager.isLeader(false);
      term.abort();
      pictures.end();
    };
    await Promise.all([this.#leadership.run({ gained, lost }, signal), renewing.run()]);
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

  /** After an outage everything is said once more: what was sent before may be lost. */
  async #meetTemporal({ clusterId, queue, pictures }: Led, signal: AbortSignal): Promise<void> {
    const { log } = this.#base;
    const onReunion = (why: Reunion): void => {
      log.info({ why }, 'temporal is back, claiming everything again');
      pictures.tellTemporalAgain(why);
    };
    const onUnmarked = (): void => log.info({}, 'not allowed to leave a mark in the namespace of temporal: of a database that is brought back within seconds only the daily sweep learns');
    const sent = (): number | undefined => (this.#leadership.isLeader ? queue.taken : undefined);
    await watchReunions({ client: this.#client, cluster: clusterId, sent, newMark: randomUUID, prepare: () => this.#prepare(signal), onReunion, onUnmarked, sleep }, signal);
  }

  async #prepare(signal: AbortSignal): Promise<void> {
    const { config, log } = this.#base;
    this.#searchable = (await prepareNamespace({ endpoint: config.temporal, log, signal, sleep }))?.searchable;
  }

  async #work(clusterId: string, signal: AbortSignal): Promise<void> {
    const { config, log } = this.#base;
    await this.#prepare(signal);
    // activities find credentials in the views: before the first lists no rule would hold any destination
    while (!signal.aborted && unsyncedViews(this.#views).length > 0) await sleep(100, signal);
    if (signal.aborted) return;

    const activities = mirrorWork(this.#base, this.#views, { clusterId, keepers: this.#client });
    const { servesWorkflows } = config.temporal;
    this.#workers = startWorkers({ endpoint: config.temporal, cluster: clusterId, activities, workflowBundle, servesWorkflows, log, random: Math.random, sleep }, signal);
    await this.#workers.done;
  }
}

interface Led {
  readonly clusterId: string;
  readonly queue: ClaimQueue;
  readonly pictures: PictureLoop;
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
