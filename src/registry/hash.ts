import { createHash, type Hash } from 'node:crypto';
import { algorithmOf, type Digest } from '../domain/digest.js';

/** A running hash of the algorithm a digest names. */
export function hashFor(digest: Digest): Hash {
  return createHash(algorithmOf(digest));
}

export function digestFrom(hash: Hash, like: Digest): Digest {
  return `${algorithmOf(like)}:${hash.digest('hex')}` as Digest;
}

/** The digest of bytes, by SHA-256 unless another digest shows the algorithm. */
export function digestBytes(bytes: Uint8Array, like?: Digest): Digest {
  const algorithm = like === undefined ? 'sha256' : algorithmOf(like);
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}
