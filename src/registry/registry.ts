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
   * Verified bytes of a blob: `corrupt` before the last chunk when size or digest differ. From an offset beyond 0 only
   * the size is checked.
   */
  blob(from: Repository, of: Descriptor, as: Identity, call: Call, offset?: number): AsyncIterable<Uint8Array>;
  /** Makes a blob present: found there, mounted from a repository of the same registry, or uploaded. */
  putBlob(to: Repository, of: Descriptor, source: BlobSource, as: Identity, call: Call): Promise<BlobOutcome>;
  /** Publishes exact bytes under a tag or digest; everything below must be there. */
  putManifest(at: ImageRef, manifest: Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>, as: Identity, call: Call): Promise<void>;
  /** All tags of a repository; none when it does not exist. */
  tags(repository: Repository, as: Identity, call: Call): AsyncIterable<string>;
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

/** Credentials to try in order; empty means anonymous. */
export type Identity = readonly Credential[];

export type Purpose = 'probe' | 'check' | 'copy' | 'verify' | 'delete';

/** The circumstances of one call. */
export interface Call {
  readonly signal: AbortSignal;
  readonly purpose: Purpose;
  /** which side of a copy this is; a failure names it */
  readonly side: 'source' | 'destination';
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

/** Where an upload takes its bytes from; called again with an offset to resume. */
export interface BlobSource {
  /** opened at 0 it fails before its last chunk when size or digest are wrong, as `Registry.blob` does: it need not be hashed again */
  readonly verified?: true;
  open(offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export type BlobOutcome = 'present' | 'mounted' | 'uploaded';
