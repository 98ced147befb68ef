/** How far all copies of one command are, as a picture that can be drawn at any moment. */
import type { ImageName } from '../../domain/image-ref.js';
import type { Part, Progress } from '../../registry/copy-engine.js';

export type Phase = 'waiting' | 'resolving' | 'copying' | 'publishing' | 'done' | 'failed';

export interface ImageProgress {
  readonly image: ImageName;
  readonly phase: Phase;
  /** in the order of the plan */
  readonly parts: readonly PartProgress[];
}

export interface PartProgress extends Progress {
  /** `linux/arm64` */
  readonly label: string;
}

/** Sums over images. Totals grow while images are still being resolved. */
export interface Totals {
  readonly images: number;
  readonly imagesDone: number;
  readonly imagesFailed: number;
  readonly blobs: number;
  readonly blobsDone: number;
  readonly bytes: number;
  readonly bytesDone: number;
  /** every image has been looked at, so the totals are final */
  readonly isComplete: boolean;
}

/** Follows copies by the image they make. */
export class ProgressBoard {
  readonly #images: Map<ImageName, ImageProgress>;

  constructor(destinations: readonly ImageName[]) {
    this.#images = new Map(destinations.map((image) => [image, { image, phase: 'waiting', parts: [] }]));
  }

  get images(): readonly ImageProgress[] {
    return [...this.#images.values()];
  }

  enter(image: ImageName, phase: Phase): void {
    this.#change(image, (before) => ({ ...before, phase }));
  }

  plan(image: ImageName, parts: readonly Part[]): void {
    const planned = parts.map(({ label, blobs, bytes }): PartProgress => ({ v: 1, label, blobsDone: 0, blobsTotal: blobs, bytesDone: 0, bytesTotal: bytes }));
    this.#change(image, (before) => ({ ...before, phase: 'copying', parts: planned }));
  }

  advance(image: ImageName, part: number, progress: Progress): void {
    this.#change(image, (before) => ({ ...before, parts: before.parts.map((each, at) => (at === part ? { ...progress, label: each.label } : each)) }));
  }

  #change(image: ImageName, change: (before: ImageProgress) => ImageProgress): void {
    const before = this.#images.get(image);
    if (before !== undefined) this.#images.set(image, change(before));
  }
}

export function sumUp(images: readonly ImageProgress[]): Totals {
  const totals = { images: images.length, imagesDone: 0, imagesFailed: 0, blobs: 0, blobsDone: 0, bytes: 0, bytesDone: 0 };
  for (const { phase, parts } of images) {
    if (phase === 'done') totals.imagesDone++;
    if (phase === 'failed') totals.imagesFailed++;
    for (const part of parts) {
      totals.blobs += part.blobsTotal;
      totals.blobsDone += part.blobsDone;
      totals.bytes += part.bytesTotal;
      totals.bytesDone += part.bytesDone;
    }
  }
  return { ...totals, isComplete: images.every(({ phase }) => phase !== 'waiting' && phase !== 'resolving') };
}
