import type { Change } from '../cluster/cluster.js';
import type { ImageName, PlaceId } from '../domain/image-ref.js';
import type { PodImage } from '../domain/original.js';
import { workloadKinds, type Pod, type WorkloadKind } from '../domain/usage.js';
import { UsageView, type UsageOptions } from './usage.js';

/** Which images the templates of workloads name, read as the Pods they would make. */
export class WorkloadsView {
  readonly #usage: UsageView;
  readonly #synced = new Set<WorkloadKind>();

  constructor(options: UsageOptions) {
    this.#usage = new UsageView(options);
  }

  /** @param kind whose collection changed: two kinds may hold the same key */
  apply(kind: WorkloadKind, change: Change<Pod>): void {
    if (change.type === 'synced') this.#synced.add(kind);
    this.#usage.apply(change.type === 'synced' ? change : { ...change, key: `${kind} ${change.key}` });
  }

  /** The first complete lists of all five kinds have arrived. */
  get isSynced(): boolean {
    return this.#synced.size === workloadKinds.length;
  }

  pods(): Iterable<Pod> {
    return this.#usage.pods();
  }

  imagesOf(template: Pod): readonly PodImage[] {
    return this.#usage.imagesOf(template);
  }

  /** Templates that name an image. */
  podsOf(image: ImageName): readonly Pod[] {
    return this.#usage.podsOf(image);
  }

  /** Whether Pods of a template would pull from a place, as it is written. */
  names(place: PlaceId): boolean {
    return this.#usage.podsAt(place).length > 0;
  }
}
