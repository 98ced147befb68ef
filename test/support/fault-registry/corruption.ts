/** Answers that are wrong at random, from one seeded generator: what a bad disk, proxy or line makes of good bytes. */
import { gzipSync } from 'node:zlib';
import type { Chance } from '../fault.js';
import type { Damage, Fault } from './faults.js';

export interface Corruption {
  /** of what kind, for people */
  readonly kind: string;
  readonly faults: readonly Fault[];
}

type Spoil = (honest: Buffer, chance: Chance) => Damage;

/** Each of them differs from the honest answer in its bytes, or in what it says of them. */
const kinds: Readonly<Record<string, Spoil>> = {
  'a bit flipped': (honest, chance) => ({ swap: changed(honest, chance.between(0, honest.length - 1), (byte) => byte ^ (1 << chance.between(0, 7))) }),
  'a block of zeros': (honest, chance) => ({ swap: zeroed(honest, chance) }),
  'bytes of another': (honest, chance) => ({ swap: randomBytes(chance, honest.length) }),
  'a byte lost in the middle': (honest, chance) => ({ swap: without(honest, chance.between(0, honest.length - 1)) }),
  'ends early, and says so': (honest, chance) => ({ truncate: chance.between(0, honest.length - 1) }),
  'ends early, and says nothing': (honest, chance) => ({ truncate: chance.between(0, honest.length - 1), headers: { 'content-length': undefined } }),
  'the connection ends early': (honest, chance) => ({ cutAnswerAfter: chance.between(0, honest.length - 1) }),
  'more bytes, and says so': (_honest, chance) => ({ append: randomBytes(chance, chance.between(1, 5000)) }),
  'more bytes, and says nothing': (_honest, chance) => ({ append: randomBytes(chance, chance.between(1, 5000)), headers: { 'content-length': undefined } }),
  'more bytes than it says': (honest, chance) => ({ append: randomBytes(chance, chance.between(1, 5000)), swap: changed(honest, 0, (byte) => byte ^ 1), headers: { 'content-length': String(honest.length) } }),
  'says less than it has': (honest) => ({ headers: { 'content-length': String(honest.length - 1) } }),
  twice: (honest) => ({ swap: Buffer.concat([honest, honest]) }),
  nothing: () => ({ truncate: 0 }),
  'compressed, and says so': (honest) => ({ swap: gzipSync(honest), headers: { 'content-encoding': 'gzip' } }),
  'compressed, and says nothing': (honest) => ({ swap: gzipSync(honest) }),
  'part of it, as if that was asked for': (honest, chance) => partFrom(honest, chance.between(1, honest.length - 1)),
  'other bytes as if they were a part': (honest, chance) => ({ status: 206, body: randomBytes(chance, honest.length), headers: { 'content-range': `bytes 0-${honest.length - 1}/${honest.length}` } }),
  'a page of a proxy': () => ({ status: 200, body: '<html>please log in</html>', headers: { 'content-type': 'text/html' } }),
};

/**
 * Corrupts every answer to a path, for ever: nothing of it may be believed.
 *
 * @param honest what is right there, two bytes at least
 */
export function corrupt(chance: Chance, path: string, honest: Uint8Array): Corruption {
  const names = Object.keys(kinds);
  const kind = names[chance.between(0, names.length - 1)] ?? '';
  return { kind, faults: [{ on: { method: 'GET', path }, times: Infinity, does: kinds[kind]?.(Buffer.from(honest), chance) ?? {} }] };
}

/** Cuts the first answer, and goes on with something else than the rest. */
export function corruptResume(chance: Chance, path: string, honest: Uint8Array): Corruption {
  const cut = chance.between(1, honest.length - 2);
  const rest = Buffer.from(honest).subarray(cut);
  const shift = chance.between(1, cut);
  const lies: Readonly<Record<string, Damage>> = {
    'goes on with other bytes': { swap: randomBytes(chance, rest.length) },
    'goes on with a bit flipped': { swap: changed(rest, chance.between(0, rest.length - 1), (byte) => byte ^ 4) },
    'goes on at another place': partFrom(Buffer.from(honest), cut - shift),
    'goes on at another place, and lies about it': { swap: Buffer.from(honest).subarray(cut - shift, honest.length - shift) },
    'begins again with other bytes': { status: 200, body: randomBytes(chance, honest.length) },
    'goes on past the end': { append: randomBytes(chance, 10), headers: { 'content-length': undefined } },
  };
  const names = Object.keys(lies);
  const kind = names[chance.between(0, names.length - 1)] ?? '';
  const on = { method: 'GET', path };
  return { kind, faults: [{ on, does: { cutAnswerAfter: cut } }, { on, from: 2, times: Infinity, does: lies[kind] ?? {} }] };
}

/** Bytes that are the same for the same seed. */
export function randomBytes(chance: Chance, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  // xorshift: a hash for every byte would cost more than what is tested
  let state = chance.between(1, 2 ** 32 - 1);
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeUInt8(state & 0xff, at);
  }
  return bytes;
}

function partFrom(honest: Buffer, at: number): Damage {
  return { status: 206, body: honest.subarray(at), headers: { 'content-range': `bytes ${at}-${honest.length - 1}/${honest.length}` } };
}

function changed(honest: Buffer, at: number, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(honest);
  copy.writeUInt8(change(copy.readUInt8(at)), at);
  return copy;
}

function zeroed(honest: Buffer, chance: Chance): Buffer {
  const at = chance.between(0, honest.length - 1);
  const copy = changed(honest, at, (byte) => byte ^ 0xff); // a zero that was zero before is no corruption
  return copy.fill(0, at + 1, Math.min(honest.length, at + 1 + chance.between(0, 4096)));
}

function without(honest: Buffer, at: number): Buffer {
  return Buffer.concat([honest.subarray(0, at), honest.subarray(at + 1)]);
}
