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
  const { buffer, byteOffset, byteLength } = new TextEncoder().encode(text);
  const bytes = new DataView(buffer, byteOffset, byteLength);
  const striped = byteLength - (byteLength % 32);
  const start = striped === 0 ? prime5 : converge(bytes, striped);
  return avalanche(consume(bytes, striped, (start + BigInt(byteLength)) & mask))
    .toString(16)
    .padStart(16, '0');
}

function converge(bytes: DataView, end: number): bigint {
  let a = (prime1 + prime2) & mask;
  let b = prime2;
  let c = 0n;
  let d = -prime1 & mask;
  for (let at = 0; at < end; at += 32) {
    a = round(a, bytes.getBigUint64(at, true));
    b = round(b, bytes.getBigUint64(at + 8, true));
    c = round(c, bytes.getBigUint64(at + 16, true));
    d = round(d, bytes.getBigUint64(at + 24, true));
  }
  const sum = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & mask;
  return [a, b, c, d].reduce(merge, sum);
}

/** What is left after the stripes: words of eight, one of four, single bytes. */
function consume(bytes: DataView, from: number, start: bigint): bigint {
  let hash = start;
  let at = from;
  for (; at + 8 <= bytes.byteLength; at += 8) hash = (rotate(hash ^ round(0n, bytes.getBigUint64(at, true)), 27n) * prime1 + prime4) & mask;
  if (at + 4 <= bytes.byteLength) {
    hash = (rotate(hash ^ ((BigInt(bytes.getUint32(at, true)) * prime1) & mask), 23n) * prime2 + prime3) & mask;
    at += 4;
  }
  for (; at < bytes.byteLength; at++) hash = (rotate(hash ^ ((BigInt(bytes.getUint8(at)) * prime5) & mask), 11n) * prime1) & mask;
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
