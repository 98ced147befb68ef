const mask = 0xffff_ffff_ffff_ffffn;
const prime1 = 0x9e37_79b1_85eb_ca87n;
const prime2 = 0xc2b2_ae3d_27d4_eb4fn;
const prime3 = 0x1656_67b1_9e37_79f9n;
const prime4 = 0x85eb_ca77_c2b2_ae63n;
const prime5 = 0x27d4_eb2f_1656_67c5n;

/**
 * XXH64 with seed 0 over the UTF-8 bytes of a text: names of Secret copies contain it since v2.
 * Not for anything that must resist an attacker.
 *
 * @returns 16 hexadecimal digits, zero-padded
 * @see https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, "XXH64 Algorithm Description"
 */
export function xxh64(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  const striped = bytes.length - (bytes.length % 32);
  const start = striped === 0 ? prime5 : converge(bytes, striped);
  return avalanche(consume(bytes, striped, (start + BigInt(bytes.length)) & mask))
    .toString(16)
    .padStart(16, '0');
}

function converge(bytes: Buffer, end: number): bigint {
  let a = (prime1 + prime2) & mask;
  let b = prime2;
  let c = 0n;
  let d = -prime1 & mask;
  for (let at = 0; at < end; at += 32) {
    a = round(a, bytes.readBigUInt64LE(at));
    b = round(b, bytes.readBigUInt64LE(at + 8));
    c = round(c, bytes.readBigUInt64LE(at + 16));
    d = round(d, bytes.readBigUInt64LE(at + 24));
  }
  const sum = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & mask;
  return [a, b, c, d].reduce(merge, sum);
}

/** What is left after the stripes: words of eight, one of four, single bytes. */
function consume(bytes: Buffer, from: number, start: bigint): bigint {
  let hash = start;
  let at = from;
  for (; at + 8 <= bytes.length; at += 8) hash = (rotate(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * prime1 + prime4) & mask;
  if (at + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(bytes.readUInt32LE(at)) * prime1) & mask), 23n) * prime2 + prime3) & mask;
    at += 4;
  }
  for (; at < bytes.length; at++) hash = (rotate(hash ^ ((BigInt(bytes[at] ?? 0) * prime5) & mask), 11n) * prime1) & mask;
  return hash;
}

function avalanche(hash: bigint): bigint {
  const second = ((hash ^ (hash >> 33n)) * prime2) & mask;
  const third = ((second ^ (second >> 29n)) * prime3) & mask;
  return third ^ (third >> 32n);
}

function round(accumulator: bigint, lane: bigint): bigint {
  return (rotate((accumulator + lane * prime2) & mask, 31n) * prime1) & mask;
}

function merge(hash: bigint, accumulator: bigint): bigint {
  return ((hash ^ round(0n, accumulator)) * prime1 + prime4) & mask;
}

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & mask;
}
