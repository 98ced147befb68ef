import type { Change, Node } from '../cluster/cluster.js';
import { platformText, type Platform } from '../domain/platform.js';

/**
 * The platforms the nodes of the cluster have, or have had since this process began: a pool that is scaled to zero
 * comes back, and taking its platform out of copies and in again would cost more than keeping it.
 */
export class NodesView {
  readonly #platforms = new Map<string, Platform>();
  readonly #onChange: () => void;
  #isSynced = false;

  /** @param onChange called when a platform is seen for the first time, and when synced; work belongs elsewhere */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  apply(change: Change<Node>): void {
    if (change.type === 'synced') this.#isSynced = true;
    else if (change.type === 'gone' || !this.#learn(change.object.platform)) return;
    this.#onChange();
  }

  /** The first complete list has arrived. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** In one order, whatever that of events. */
  platforms(): readonly Platform[] {
    return [...this.#platforms.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, platform]) => platform);
  }

  /** @returns whether it is new; a node that has not reported yet says nothing */
  #learn(platform: Platform): boolean {
    const text = platformText(platform);
    if (platform.architecture === '' || this.#platforms.has(text)) return false;
    this.#platforms.set(text, platform);
    return true;
  }
}
