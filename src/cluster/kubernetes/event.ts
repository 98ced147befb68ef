import { isFailure } from '../../domain/failure.js';
import type { ClusterEvent } from '../cluster.js';
import { EventSeries } from '../event-series.js';
import type { Requests } from './requests.js';
import { eventType as type } from './resources.js';

export interface EventOptions {
  /** `reportingInstance`: usually the name of our Pod */
  readonly instance: string;
  /** milliseconds since the epoch */
  readonly now: () => number;
  /** between 0 and 1: names of events need not be guessed, only differ */
  readonly random: () => number;
}

const controller = 'kuik.enix.io/kuik';
const longestNote = 1024; // bytes, by the API server's validation

/** Writes events, and counts those that come too often in the series of the first. */
export class Events {
  readonly #requests: Requests;
  readonly #options: EventOptions;
  readonly #series = new EventSeries();

  constructor(requests: Requests, options: EventOptions) {
    this.#requests = requests;
    this.#options = options;
  }

  /** @throws Failure side `cluster`; the next event of the same kind is written at once then */
  async emit(event: ClusterEvent): Promise<void> {
    const next = this.#series.next(event, this.#options.now());
    try {
      if (next.step === 'create') this.#series.created(event, await this.#create(event));
      if (next.step === 'update') await this.#count(event, next.name, next.count);
    } catch (error) {
      this.#series.forget(event);
      if (next.step === 'update' && isFailure(error) && error.code === 'missing') return this.emit(event); // events live for an hour
      throw error;
    }
  }

  async #create(event: ClusterEvent): Promise<string> {
    const { regarding, action, reason } = event;
    const suffix = event.once ?? Math.floor(this.#options.random() * 2 ** 48).toString(16);
    const name = `${regarding.name.slice(0, 230).replace(/[.-]+$/, '')}.${suffix}`;
    const namespace = namespaceOf(event);
    const body = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace },
      eventTime: this.#microTime(),
      reportingController: controller,
      reportingInstance: this.#options.instance,
      action,
      reason,
      regarding,
      note: cut(event.note),
      type: event.type,
    };
    try {
      await this.#requests.json({ verb: 'create', type, namespace, body });
    } catch (error) {
      const isThere = event.once !== undefined && isFailure(error) && error.code === 'conflict';
      if (!isThere) throw error;
    }
    return name;
  }

  async #count(event: ClusterEvent, name: string, count: number): Promise<void> {
    const body = { series: { count, lastObservedTime: this.#microTime() } };
    await this.#requests.json({ verb: 'patch', type, namespace: namespaceOf(event), name, body, contentType: 'application/merge-patch+json' });
  }

  /** RFC 3339 with six decimals, which `MicroTime` wants. */
  #microTime(): string {
    return new Date(this.#options.now()).toISOString().replace('Z', '000Z');
  }
}

/** Events about cluster-scoped objects live in `default`. */
function namespaceOf({ regarding }: ClusterEvent): string {
  return regarding.namespace ?? 'default';
}

function cut(note: string): string {
  const bytes = Buffer.from(note);
  // half a character at the end becomes a replacement character of at most 3 bytes
  return bytes.length <= longestNote ? note : `${bytes.subarray(0, longestNote - 6).toString('utf8')}…`;
}
