/**
 * The pace: how many requests of a kind a registry gets at once, who goes first, and when it is left alone.
 * Everything passes here; nothing retries beside it. The parts are in `pace/`.
 */
import { LRUCache } from 'lru-cache';
import { HostPace, type PaceSeen } from './pace/host-pace.js';
import type { Time } from './pace/time.js';
import type { Endpoint } from './settings.js';

export { ceilingOf, lanes, type Lane } from './pace/lane-limit.js';

/** Pods name hosts at will: whoever was not asked for longest starts anew. */
const mostHosts = 1000;

export class Governor {
  readonly #hosts = new LRUCache<string, HostPace>({ maxSize: mostHosts, sizeCalculation: () => 1 });

  constructor(
    readonly time: Time,
    readonly onCircuit: (host: string, circuit: 'open' | 'closed') => void = () => undefined,
  ) {}

  of(registry: Endpoint): HostPace {
    const known = this.#hosts.get(registry.host);
    if (known !== undefined) return known;
    const made = new HostPace(registry, this.time, (circuit) => this.onCircuit(registry.host, circuit));
    this.#hosts.set(registry.host, made);
    return made;
  }

  /** Every host that was asked something. */
  see(): readonly PaceSeen[] {
    return [...this.#hosts.values()].map((host) => host.see());
  }
}
