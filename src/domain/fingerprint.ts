/**
 * Short names for texts, and shares of an interval, both without randomness: workflows must decide the same
 * again when their history is replayed.
 */

/**
 * A short name for a text. Not for security: it only tells whether something changed.
 *
 * @returns 16 hexadecimal digits
 * @see http://www.isthe.com/chongo/tech/comp/fnv (FNV-1a, 64 bits)
 */
export function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}

/**
 * A share that differs between texts: spreads what would otherwise be due in the same second.
 *
 * @returns at least 0, less than 1
 */
export function shareOf(text: string): number {
  const folded = BigInt(`0x${fingerprint(text)}`);
  // the low bits of FNV-1a mix better than the high ones for texts that differ at their end
  return Number((folded ^ (folded >> 32n)) & 0xffffffffn) / 2 ** 32;
}
