import type { Published } from '../domain/published.js';
import type { Digest } from '../domain/digest.js';
import type { ImageName } from '../domain/image-ref.js';
import type { Platform } from '../domain/platform.js';
import type { CopyStrategy } from '../domain/rule.js';
import type { Identity, Urgency } from './registry.js';

/**
 * The copy engine: one image between two registries, in four steps that can each be repeated.
 * Everything that passes between the steps is small (digests, sizes, names) and holds no credential, so that
 * it may stand in a workflow history. Made by `createCopyEngine(registry)` in `copy.ts`.
 */
export interface CopyEngine {
  /** Finds the first source that serves, decides what of it is copied, and looks at the destination. */
  resolve(request: ResolveRequest, call: EngineCall): Promise<Resolved>;
  /** Copies one part: its blobs, then its manifest by digest, then what refers to it. Present content costs one HEAD each. */
  copyPart(plan: CopyPlan, part: Part, access: Access, call: EngineCall): Promise<CopiedPart>;
  /**
   * Publishes the root under the destination's tag. Refuses with `missing` (side destination) while anything below it is absent.
   * `auto` falls from `sparse` to `rewrite` here, where the destination says so.
   */
  publish(plan: CopyPlan, access: Access, call: EngineCall): Promise<Published>;
  /** Reads the tag back: the digest it answers with, `missing` when there is none. */
  verify(at: ImageName, as: Identity, call: EngineCall): Promise<Digest | 'missing'>;
}

export interface EngineCall {
  readonly signal: AbortSignal;
  readonly purpose: 'copy' | 'verify';
  /** `waiting`: a Pod cannot start without it */
  readonly urgency?: Urgency;
  readonly onProgress?: (progress: Progress) => void;
}

/** Well under 1 KiB: what a heartbeat carries. */
export interface Progress {
  readonly v: 1;
  readonly blobsDone: number;
  readonly blobsTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface Access {
  readonly source: Identity;
  readonly destination: Identity;
}

export interface ResolveRequest {
  /** where the image may be read, in order, each with its credentials */
  readonly sources: readonly { readonly image: ImageName; readonly as: Identity }[];
  readonly destination: { readonly image: ImageName; readonly as: Identity };
  readonly platforms: readonly Platform[];
  readonly copy: CopyStrategy;
  /** a pinned image is never rewritten */
  readonly pinned: boolean;
  /** whether signatures, attestations and SBOMs come along; none unless told */
  readonly referrers?: 'auto' | 'none';
  /**
   * What is recorded of the copy: an index with an equal digest is complete for these platforms, for others its children
   * are looked for. `nothing`: for all of them. `foreign`: what is there is another image's. Absent: nobody keeps records, and an equal digest is believed.
   */
  readonly recorded?: Published | 'nothing' | 'foreign';
  /** what a copy was made of, when it is made once more for other settings: looked for instead of what the tag has by now */
  readonly sourceDigest?: Digest;
}

/**
 * `current`: the destination already holds it, nothing to send. When equal digests told so, no manifest was read:
 * `parts` is empty then, platforms are those recorded, or none, and what was recorded before stands.
 */
export type Resolved =
  | { readonly verdict: 'copy'; readonly plan: CopyPlan }
  | { readonly verdict: 'current'; readonly published: Published; readonly plan: CopyPlan }
  /** no source can be read, but the destination can: a copy of ours with all there is to have, or one another tool prepared */
  | { readonly verdict: 'adopted'; readonly published: Published };

export interface CopyPlan {
  readonly source: ImageName;
  /** position in `sources`: whose credentials to use */
  readonly sourceIndex: number;
  readonly destination: ImageName;
  /** digest of the root at the source; from here on only this exists */
  readonly digest: Digest;
  readonly mediaType: string;
  readonly strategy: CopyStrategy;
  /** never rewritten: `sparse` where the destination takes it, else `all` */
  readonly pinned?: true;
  /** what refers to the root and to each part comes along */
  readonly referrers?: 'auto';
  readonly parts: readonly Part[];
  readonly platforms: readonly string[];
  readonly missingPlatforms: readonly string[];
  /** as in `Published` */
  readonly warnings?: readonly string[];
}

/** One child manifest of the root, the root itself when it is a single image, or what refers to the root. */
export interface Part {
  readonly digest: Digest;
  /**
   * a manifest unless told. `blob`: an index may list content of any type. `referrers`: what describes the manifest;
   * counted as blobs, with the sizes of their manifests
   */
  readonly kind?: 'blob' | 'referrers';
  /** `linux/arm64`, `attestation`, ...: what people read */
  readonly label: string;
  /** config and layers, in bytes */
  readonly bytes: number;
  readonly blobs: number;
}

export interface CopiedPart {
  /** sent to the destination */
  readonly bytes: number;
  readonly warnings?: readonly string[];
}
