import type { Change, Namespace } from '../cluster/cluster.js';

const none: Readonly<Record<string, string>> = {};

/** The namespaces of the cluster and their labels. */
export class NamespacesView {
  readonly #namespaces = new Map<string, Namespace>();
  #isSynced = false;

  apply(change: Change<Namespace>): void {
    if (change.type === 'put') this.#namespaces.set(change.key, change.object);
    else if (change.type === 'gone') this.#namespaces.delete(change.key);
    else this.#isSynced = true;
  }

  /** The first complete list has arrived. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  has(name: string): boolean {
    return this.#namespaces.has(name);
  }

  /** None for a namespace that is not known (yet). */
  labels(name: string): Readonly<Record<string, string>> {
    return this.#namespaces.get(name)?.labels ?? none;
  }

  snapshot(): readonly Namespace[] {
    return [...this.#namespaces.values()];
  }
}
