/**
 * Tells on each Pod where it was sent, as an event: people look there first. Admission cannot do it, since the Pod
 * does not exist yet; the annotations it left say everything. Nothing is remembered beyond the process: an event has
 * a name that follows from what it tells, so whoever leads next cannot tell it twice while it is there.
 */
import type { ClusterEvent } from '../cluster/cluster.js';
import { podNews, storyOf } from '../domain/pod-news.js';
import type { Pod } from '../domain/usage.js';
import { xxh64 } from '../domain/xxh64.js';
import { EventQueue, type EventQueueDeps } from './event-queue.js';

export class PodNewsDesk {
  readonly #queue: EventQueue;
  /** what was told follows from these, by UID; undefined before the first look */
  #told: ReadonlyMap<string, Pod['annotations']> | undefined;

  constructor(deps: EventQueueDeps) {
    this.#queue = new EventQueue(deps);
  }

  /** Somebody else leads, or did. */
  forget(): void {
    this.#told = undefined;
  }

  /**
   * Tells what is new since the last look. Only the leader looks. At its first look a Pod that runs is old news; one
   * that does not run yet may have come while nobody led, and is the one somebody asks about.
   */
  look(pods: Iterable<Pod>): void {
    const before = this.#told;
    const told = new Map<string, Pod['annotations']>();
    const events: ClusterEvent[] = [];
    for (const pod of pods) {
      const { uid, annotations } = pod;
      const known = before?.get(uid);
      const story = known === annotations ? undefined : storyOf(annotations);
      if (known === annotations || story !== undefined) told.set(uid, annotations);
      if (story === undefined || pod.isDeleted) continue;
      const isNew = before === undefined ? pod.phase === 'Pending' : story !== storyOf(known ?? {});
      if (isNew) events.push(...eventsOf(pod, story));
    }
    this.#told = told;
    // when too many come at once, it is better to lose the good news
    this.#queue.add([...events.filter(({ type }) => type === 'Warning'), ...events.filter(({ type }) => type === 'Normal')]);
  }

  /** Resolves when everything so far has been told. */
  told(): Promise<void> {
    return this.#queue.told();
  }
}

function eventsOf(pod: Pod, story: string): ClusterEvent[] {
  const { namespace, name, uid } = pod;
  return podNews(pod).map((news) => ({ regarding: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid }, ...news, once: xxh64(`${uid} ${news.reason} ${story}`) }));
}
