import type { Digest } from '../../../src/domain/digest.js';
import { digestBytes } from '../../../src/registry/hash.js';

/** The same for the same name. */
export function aDigest(name: string): Digest {
  return digestBytes(Buffer.from(name));
}
