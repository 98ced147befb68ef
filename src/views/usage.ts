import type { Change } from '../cluster/cluster.js';
import { placeIdentity, type ImageName, type ImageRef, type PlaceId } from '../domain/image-ref.js';
import { imagesUsed, type PodImage } from '../domain/original.js';
import type { Pod } from '../domain/usage.js';
import { Shared } from './shared.js';

/** How one image is used: by Pods that name it now, and by Pods that record it as what their user wrote. */
export interface ImageUsage {
  readonly name: ImageName;
  readonly ref: ImageRef;
  /** how many Pods use it in either way */
  readonly pods: number;
  /** a Pod recorded this name */
  readonly original: boolean;
}

interface Entry {
  readonly ref: ImageRef;
  readonly place: PlaceId;
  /** by Pod key */
  readonly pods: Map<string, PodImage>;
}

export interface UsageOptions {
  /** port of v1's local proxy, whose names stand for other images */
  readonly v1ProxyPort: number;
  /** called when a Pod came, went, or changed in what we keep of it, and when synced; work belongs elsewhere */
  readonly onChange?: () => void;
}

/** Which Pods use which images, whatever their phase. */
export class UsageView {
  readonly #options: UsageOptions;
  readonly #pods = new Map<string, Pod>();
  readonly #images = new Map<ImageName, Entry>();
  /** one place has several names when they carry a tag beside the same digest */
  readonly #namesAt = new Map<PlaceId, Set<ImageName>>();
  readonly #shared = new Shared();
  readonly #imagesOf = new WeakMap<Pod['usages'], WeakMap<Pod['annotations'], readonly PodImage[]>>();
  #isSynced = false;

  constructor(options: UsageOptions) {
    this.#options = options;
  }

  apply(change: Change<Pod>): void {
    if (change.type === 'synced') this.#isSynced = true;
    else if (!this.#replace(change.key, change.type === 'put' ? this.#compact(change.object) : undefined)) return;
    this.#options.onChange?.();
  }

  /** The first complete list has arrived. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  get podCount(): number {
    return this.#pods.size;
  }

  /** @param key `namespace/name` */
  pod(key: string): Pod | undefined {
    return this.#pods.get(key);
  }

  pods(): Iterable<Pod> {
    return this.#pods.values();
  }

  /** What a Pod uses; made once per Pod template. */
  imagesOf(pod: Pod): readonly PodImage[] {
    let byAnnotations = this.#imagesOf.get(pod.usages);
    if (byAnnotations === undefined) this.#imagesOf.set(pod.usages, (byAnnotations = new WeakMap()));
    let images = byAnnotations.get(pod.annotations);
    if (images === undefined) byAnnotations.set(pod.annotations, (images = imagesUsed(pod, this.#options.v1ProxyPort)));
    return images;
  }

  byImage(name: ImageName): ImageUsage | undefined {
    const entry = this.#images.get(name);
    return entry === undefined ? undefined : usageOf(name, entry);
  }

  /** Pods that use an image in either way, or only those that name it now. */
  podsOf(name: ImageName, which: 'any' | 'current' = 'any'): readonly Pod[] {
    const users = [...(this.#images.get(name)?.pods ?? [])].filter(([, image]) => which === 'any' || image.isCurrent);
    return users.flatMap(([key]) => this.#pods.get(key) ?? []);
  }

  /** Pods that pull from a place: their current image is there. Nothing they use may be deleted. */
  podsAt(place: PlaceId): readonly Pod[] {
    return [...(this.#namesAt.get(place) ?? [])].flatMap((name) => this.podsOf(name, 'current'));
  }

  /** Every image in use, by name. */
  snapshot(): readonly ImageUsage[] {
    return [...this.#images].map(([name, entry]) => usageOf(name, entry)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @returns whether anything we keep is different now */
  #replace(key: string, pod: Pod | undefined): boolean {
    const before = this.#pods.get(key);
    if (before === pod || (before !== undefined && pod !== undefined && isSame(before, pod))) return false;

    if (before !== undefined) for (const image of this.imagesOf(before)) this.#forget(key, image);
    if (pod === undefined) {
      this.#pods.delete(key);
      return true;
    }
    this.#pods.set(key, pod);
    for (const image of this.imagesOf(pod)) this.#learn(key, image);
    return true;
  }

  #learn(key: string, image: PodImage): void {
    const known = this.#images.get(image.name);
    if (known !== undefined) {
      known.pods.set(key, image);
      return;
    }
    const place = placeIdentity(image.ref);
    this.#images.set(image.name, { ref: image.ref, place, pods: new Map([[key, image]]) });
    const names = this.#namesAt.get(place) ?? new Set();
    this.#namesAt.set(place, names.add(image.name));
  }

  #forget(key: string, { name }: PodImage): void {
    const entry = this.#images.get(name);
    entry?.pods.delete(key);
    if (entry === undefined || entry.pods.size > 0) return;

    this.#images.delete(name);
    const names = this.#namesAt.get(entry.place);
    names?.delete(name);
    if (names?.size === 0) this.#namesAt.delete(entry.place);
  }

  /** Equal parts become one object; two Pods are the same when their parts are. What nobody here asks for is left out. */
  #compact({ key, namespace, name, uid, labels, annotations, usages, pullSecrets, platform, phase, isStatic, isDeleted, workload }: Pod): Pod {
    return {
      key,
      namespace: this.#shared.of(namespace),
      name,
      uid,
      labels: this.#shared.of(labels),
      annotations: this.#shared.of(annotations),
      usages: this.#shared.of(usages),
      pullSecrets: this.#shared.of(pullSecrets),
      ...(platform === undefined ? {} : { platform: this.#shared.of(platform) }),
      phase,
      isStatic,
      isDeleted,
      ...(workload === undefined ? {} : { workload }),
    };
  }
}

function usageOf(name: ImageName, { ref, pods }: Entry): ImageUsage {
  return { name, ref, pods: pods.size, original: [...pods.values()].some((image) => image.isOriginal) };
}

/** What the kubelet reports every few seconds is not among these: a steady cluster changes nothing here. */
function isSame(a: Pod, b: Pod): boolean {
  return (
    a.uid === b.uid &&
    a.phase === b.phase &&
    a.isDeleted === b.isDeleted &&
    a.labels === b.labels &&
    a.annotations === b.annotations &&
    a.usages === b.usages &&
    a.pullSecrets === b.pullSecrets
  );
}
