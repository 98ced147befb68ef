import type { Cluster, ClusterEvent } from '../cluster/cluster.js';

export interface EventQueueDeps {
  readonly cluster: Pick<Cluster, 'emitEvent'>;
  readonly onError: (error: unknown) => void;
  /** how long the API server is left alone after each event; not at all unless told */
  readonly pause?: () => Promise<void>;
}

const mostWaiting = 1_000;

/** Events on their way, one after the other. Nobody waits for them; when too many wait, the later ones are lost. */
export class EventQueue {
  readonly #deps: EventQueueDeps;
  readonly #waiting: ClusterEvent[] = [];
  #telling: Promise<void> = Promise.resolve();

  constructor(deps: EventQueueDeps) {
    this.#deps = deps;
  }

  add(events: readonly ClusterEvent[]): void {
    if (events.length === 0) return;
    this.#waiting.push(...events.slice(0, mostWaiting - this.#waiting.length));
    this.#telling = this.#telling.then(() => this.#tell());
  }

  /** Resolves when everything so far has been told. */
  async told(): Promise<void> {
    await this.#telling;
  }

  async #tell(): Promise<void> {
    const { cluster, onError, pause } = this.#deps;
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      await cluster.emitEvent(event).catch(onError);
      await pause?.();
    }
  }
}
