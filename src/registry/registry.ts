import type { CredentialId } from '../domain/availability.js';
import type { Digest } from '../domain/digest.js';
import type { ImageRef, Repository } from '../domain/image-ref.js';
import type { Platform } from '../domain/platform.js';

/**
 * The port to OCI registries. Errors are `Failure` (domain/failure) with code, side and host; an abort passes
 * through as an abort. The conformance suite of port and twin (`test/conformance/registry.ts`) is the law.
 *
 * @see OCI distribution specification 1.1
 */
export interface Registry {
  /** Digest, media type and size of what a tag or digest names; 404 with the full `Accept` list is `missing`. */
  head(at: ImageRef, as: Identity, call: Call): Promise<Seen | 'missing'>;
  /** Verified bytes of a manifest and a parsed view of them; throws `missing` when there is none. */
  manifest(at: ImageRef, as: Identity, call: Call): Promise<Manifest>;
  /**
   * Verified bytes of a blob: `corrupt` before the last chunk when size or digest differ. From an offset beyond 0, and
   * when the caller hashes, only the size is checked.
   */
  blob(from: Repository, of: Descriptor, as: Identity, call: Call, offset?: number): AsyncIterable<Uint8Array>;
  /** Makes a blob present: found there, mounted from a repository of the same registry, or uploaded. */
  putBlob(to: Repository, of: Descriptor, source: BlobSource, as: Identity, call: Call): Promise<BlobOutcome>;
  /** Publishes exact bytes under a tag or digest; everything below must be there. */
  putManifest(at: ImageRef, manifest: Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>, as: Identity, call: Call): Promise<void>;
  /** All tags of a repository; none when it does not exist. */
  tags(repository: Repository, as: Identity, call: Call): AsyncIterable<string>;
  /**
   * What refers to a manifest with `subject`: signatures, attestations, SBOMs. None when there are none, whether the
   * registry lists them itself or an index under the fallback tag does.
   *
   * @param artifactType only those of this type; all unless told
   */
  referrers(at: ManifestRef, as: Identity, call: Call, artifactType?: string): Promise<readonly Descriptor[]>;
  /**
   * Makes a manifest that has just been put there a referrer of its `subject`. Nothing to do where the registry said that
   * it lists it itself, or when there is no subject. Throws `conflict` when the fallback tag holds something else than an index.
   */
  linkReferrer(at: Repository, manifest: Manifest, as: Identity, call: Call): Promise<void>;
  /**
   * Deletes one tag and no other, as far as the registry has a way to do that; `blocked` where it has none. Can be
   * repeated after an interruption at any point. Throws `invalid` when the guard does not allow to touch it at all.
   */
  deleteTag(at: ImageRef, guard: DeletionGuard, as: Identity, call: Call): Promise<Deletion>;
  /**
   * One DELETE, and nothing decided: of the tag, or of the digest when there is one. Only for `deletion.ts`: on most
   * registries a digest takes along every tag on it.
   */
  deleteManifest(at: ImageRef, as: Identity, call: Call): Promise<DeleteAnswer>;
}

/** One credential and the identity its answers are facts about. Bound to the host it was looked up for. */
export interface Credential {
  readonly id: CredentialId;
  readonly username?: string;
  readonly password?: string;
  /** OAuth2 refresh token */
  readonly identityToken?: string;
  /** a ready bearer token */
  readonly registryToken?: string;
}

/** One manifest, by digest. */
export type ManifestRef = Repository & { readonly digest: Digest };

/** Credentials to try in order; empty means anonymous. */
export type Identity = readonly Credential[];

export type Purpose = 'probe' | 'check' | 'copy' | 'verify' | 'delete';

export type Urgency = 'waiting' | 'normal';

/** The circumstances of one call. */
export interface Call {
  readonly signal: AbortSignal;
  readonly purpose: Purpose;
  /** `waiting`: a Pod cannot start without this copy, so it goes before other copies */
  readonly urgency?: Urgency;
  /** which side of a copy this is; a failure names it */
  readonly side: 'source' | 'destination';
  /** of a blob: the caller hashes what it reads, so it is not hashed here too */
  readonly isHashedByCaller?: true;
  /** called with bytes moved since the last call; negative when they have to be moved again */
  readonly onProgress?: (bytes: number) => void;
}

/** The answer to a HEAD. */
export interface Seen {
  readonly digest: Digest;
  readonly mediaType: string;
  /** bytes */
  readonly size: number;
  /** the credential it was seen with; `anonymous` included */
  readonly identity: CredentialId;
}

/** @see OCI image specification 1.1, descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** bytes */
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly urls?: readonly string[];
  /** the content itself in base64, as it was written: believed only after `embeddedBytes` */
  readonly data?: string;
}

/** A manifest: exact bytes and what they say. `index` lists manifests, `image` lists blobs. */
export interface Manifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly type: 'index' | 'image';
  /** children of an index, in order */
  readonly manifests: readonly Descriptor[];
  /** config and layers of an image, in order, config first */
  readonly blobs: readonly Descriptor[];
  readonly subject?: Descriptor;
  /** the credential it was read with */
  readonly identity: CredentialId;
}

/** Where an upload takes its bytes from; called again with an offset to resume. What it gives is hashed before the upload completes. */
export interface BlobSource {
  /** `host[:port]` that serves the bytes: the failure of a check names it */
  readonly host?: string;
  /** it has nothing to give: somebody wants to know whether the blob is there */
  readonly isEmpty?: true;
  open(offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export type BlobOutcome = 'present' | 'mounted' | 'uploaded';

/** What a registry says to one DELETE: `unsupported` when it does not do that, for this kind of name or at all. */
export type DeleteAnswer = 'accepted' | 'absent' | 'unsupported';

/** What has to be so for a tag to be deleted. */
export interface DeletionGuard {
  /** `host[:port][/path]` of the mirror that made the copy: nothing outside is touched; compared by path segments */
  readonly prefix: string;
  /** what the tag had when we copied: another one means that somebody moved it */
  readonly digest: Digest;
  /** whether our own inventory knows another tag of this repository with the digest, or an index that lists it; `unknown` counts as `shared` */
  readonly inventory: 'unshared' | 'shared' | 'unknown';
  /** what we copied beside it (signatures and the like): deleted after it, when no other tag has the digest */
  readonly beside?: readonly { readonly tag: string; readonly digest: Digest }[];
}

/** Why a tag stays. @see docs/concepts/retain.md */
export type DeletionBlock = 'digest-changed' | 'shared-digest' | 'unsupported' | 'immutable' | 'denied' | 'no-credential';

/** How a deletion ended. `deleted` and `absent` only after the registry itself answered that the tag is missing. */
export type Deletion =
  | {
      readonly outcome: 'deleted';
      /** which DELETE did it; `isolated`: of a tiny manifest that took the tag first */
      readonly by: 'tag' | 'digest' | 'isolated';
      /** tags that the registry took along, and that were put back at once */
      readonly restored?: readonly string[];
      readonly beside?: readonly Beside[];
    }
  | { readonly outcome: 'absent'; readonly beside?: readonly Beside[] }
  | { readonly outcome: 'blocked'; readonly reason: DeletionBlock; readonly message: string };

/** What became of a tag that stood beside a deleted one. */
export interface Beside {
  readonly tag: string;
  readonly outcome: Deletion['outcome'];
}
