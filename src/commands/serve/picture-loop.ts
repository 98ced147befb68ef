import { setTimeout as wait } from 'node:timers/promises';
import { lookAtUnkept } from '../../activities/unkept.js';
import { monitorSettingsOf } from '../../config/monitoring.js';
import { knownImageRef, type ImageName, type PlaceId } from '../../domain/image-ref.js';
import type { TrackedImage } from '../../domain/monitor.js';
import type { ClaimQueue } from '../../temporal/claim-queue.js';
import type { KeeperClient } from '../../temporal/client.js';
import type { MonitorClient } from '../../temporal/monitor-client.js';
import { everyTurn } from '../../watchers/every-turn.js';
import { Loop } from '../../watchers/loop.js';
import type { Reunion } from '../../temporal/reunion.js';
import { Monitors } from '../../watchers/monitor.js';
import { NewsDesk } from '../../watchers/news.js';
import { Orphans } from '../../watchers/orphans.js';
import { PodNewsDesk } from '../../watchers/pod-news.js';
import type { Picture, Reconciler } from '../../watchers/reconcile.js';
import { Requests } from '../../watchers/requests.js';
import { SecretChanges } from '../../watchers/secret-changes.js';
import { Sightings } from '../../watchers/sightings.js';
import { Waiting } from '../../watchers/waiting.js';
import type { Base } from './base.js';
import { makeReconciler } from './reconciler.js';
import { fallbackSecret, unkeptWork } from './mirror-work.js';
import type { ManagerViews } from './part.js';

/** Changes are gathered this long before a pass: a rollout is one picture, not a hundred. */
export const gatherMs = 500;
/** A pass without any change: clocks run out, Secrets appear, somebody edits a record. */
const passEveryMs = 20_000;
/** Everything is written again, in case a record was edited behind our back. */
const forgetEveryMs = 10 * 60_000;
/** A rollout of a thousand Pods is a thousand events: 20 a second are nothing to an API server. */
const betweenEventsMs = 50;

export interface PictureDeps {
  readonly base: Base;
  readonly views: ManagerViews;
  readonly client: KeeperClient;
  readonly queue: ClaimQueue;
  readonly monitors: MonitorClient;
  /** this replica leads, and its views are complete */
  readonly leads: () => boolean;
  /** resolves after so many milliseconds, or when the signal aborts */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * From the picture of the cluster to claims, checks, records, events and statuses: a pass at each change and every 20 s,
 * on the replica that leads. What it remembers is only what was said already, so that it is not said twice.
 */
export class PictureLoop {
  readonly #deps: PictureDeps;
  readonly #reconciler: Reconciler;
  readonly #monitors: Monitors;
  readonly #requests = new Requests();
  readonly #news: NewsDesk;
  readonly #podNews: PodNewsDesk;
  readonly #secretChanges: SecretChanges;
  readonly #sightings: Sightings;
  readonly #orphans: Orphans;
  readonly waiting = new Waiting();
  #loop: Loop | undefined;
  #tracked: readonly TrackedImage[] = [];

  constructor(deps: PictureDeps) {
    const { base, views, client } = deps;
    this.#deps = deps;
    const telling = { cluster: base.cluster, onError: (error: unknown) => base.log.debug({ err: error }, 'an event could not be written') };
    this.#news = new NewsDesk(telling);
    this.#podNews = new PodNewsDesk({ ...telling, pause: () => wait(betweenEventsMs, undefined, { ref: false }) });
    this.#secretChanges = new SecretChanges({
      read: (ref) => base.cluster.secret(ref),
      podsUsing: (image) => views.usage.podsOf(image),
      fallback: (host) => fallbackSecret(base.config, host),
      now: Date.now,
    });
    this.#sightings = new Sightings({
      record: (image) => views.records.byImage(image),
      resync: (destination) => client.resync(destination),
      v1ProxyPort: base.config.migration.v1ProxyPort,
      ...base.config.routing.activeCheck.staleMirrorCleanup,
      onError: (error) => base.log.warn({ err: error }, 'a keeper cannot be asked to look again, trying later'),
      now: Date.now,
      sleep: deps.sleep,
    });
    const unkept = unkeptWork(base, views);
    this.#orphans = new Orphans({
      look: (destination) => lookAtUnkept(destination, unkept),
      adopt: (destination) => {
        this.#reconciler.adopt(destination);
        this.ask();
      },
      onError: (error) => base.log.warn({ err: error }, 'a copy that nobody keeps cannot be looked at, trying later'),
      now: Date.now,
    });
    this.#monitors = makeMonitors(deps);
    this.#reconciler = makeReconciler({ ...deps, ask: () => this.ask(), monitor: (images) => this.#monitor(images), onReport: (picture) => this.#tell(picture) });
  }

  /** as of the last pass */
  get tracked(): readonly TrackedImage[] {
    return this.#tracked;
  }

  /** A pass is wanted. */
  ask(): void {
    this.#loop?.ask();
  }

  /** A copy was released that nobody keeps. */
  noteOrphan(destination: PlaceId): void {
    this.#orphans.add(destination);
  }

  /** A term begins: somebody else led meanwhile, and may have said anything. */
  begin(): void {
    this.#reconciler.forget();
    this.#monitors.forget();
    this.#news.forget();
    this.#podNews.forget();
    this.#sightings.forget();
    this.#orphans.forget();
    this.waiting.forget();
    this.ask();
  }

  /** A term is over. */
  end(): void {
    this.#sightings.forget();
    this.#orphans.forget();
  }

  /** The database of Temporal is another one, or lost something. */
  tellTemporalAgain(why: Reunion): void {
    this.#deps.queue.forget(why === 'back' ? undefined : 'lost');
    this.#monitors.forget();
    this.ask();
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#loop = new Loop({
      pass: () => this.#pass(),
      mayRun: this.#deps.leads,
      onError: (error) => this.#deps.base.log.warn({ err: error }, 'a pass was incomplete, and is repeated'),
      gatherMs,
      everyMs: passEveryMs,
      signal,
    });
    const forgetting = setInterval(() => this.#reconciler.forget(), forgetEveryMs);
    await this.#loop.run();
    clearInterval(forgetting);
  }

  async #pass(): Promise<void> {
    const { base, views, client, queue } = this.#deps;
    const { records, rules, usage } = views;
    this.#sightings.look(usage.pods());
    this.#podNews.look(usage.pods());
    this.#orphans.look();
    // a keeper that is gone copies once it is claimed again
    const orClaimed = (word: 'retry' | 'resync') => async (destination: PlaceId): Promise<void> => {
      if ((await client[word](destination)) === 'absent') queue.again(destination);
    };
    await everyTurn([
      () => this.#reconciler.pass(),
      () => this.#requests.carryOut({ records, cluster: base.cluster, retry: orClaimed('retry'), check: (image) => this.#checkNow(image) }),
      () => this.#secretChanges.carryOut(records.snapshot(), rules.snapshot(), orClaimed('resync')),
    ]);
  }

  async #checkNow(image: ImageName): Promise<void> {
    const { monitors } = this.#deps;
    const { host } = knownImageRef(image);
    if ((await monitors.checkNow(host, image)) !== 'absent') return;
    await this.#monitors.start(host);
    await monitors.checkNow(host, image);
  }

  #monitor(images: readonly TrackedImage[]): void {
    this.#tracked = images;
    this.#monitors.look(images);
  }

  #tell(picture: Picture): void {
    this.#news.look(picture.records, picture.rules);
    this.waiting.look(picture);
  }
}

function makeMonitors({ base: { config, log }, monitors }: PictureDeps): Monitors {
  return new Monitors({
    configure: (registry, settings) => monitors.configure(registry, settings),
    paceOf: (host) => monitorSettingsOf(config.monitoring, host),
    onError: (error) => log.warn({ err: error }, 'the monitor of a registry cannot be told, trying again'),
    now: Date.now,
  });
}
