/** Pushing blobs in every mode, mounting them, and what happens to sessions. */
import { createHash } from 'node:crypto';
import type { Rule } from './rule.js';
import { absentDigest, locationOf, octets, rulesBlob, said, withDigest, type Answer, type Wire } from './wire.js';

export const blobRules: readonly Rule[] = [
  {
    end: 'end-4a',
    asks: 'POST that opens an upload',
    answer: '202, with Location',
    async observe(wire, name) {
      const answer = await wire.ask('POST', `/v2/${name}/blobs/uploads/`);
      return `${said(answer)}, ${answer.headers['location'] === undefined ? 'without' : 'with'} Location`;
    },
  },
  {
    end: 'end-6',
    asks: 'PUT of a whole blob',
    answer: '201, there',
    async observe(wire, name) {
      const { bytes, descriptor } = rulesBlob(name);
      const answer = await wire.ask('PUT', withDigest(await wire.open(name), descriptor.digest), { headers: octets, body: bytes });
      return `${said(answer)}, ${await blobIn(wire, name, descriptor.digest)}`;
    },
  },
  {
    end: 'end-6',
    asks: 'PUT of an empty blob',
    answer: '201, there',
    async observe(wire, name) {
      const { descriptor } = rulesBlob(name, 0);
      const answer = await wire.ask('PUT', withDigest(await wire.open(name), descriptor.digest), { headers: octets, body: Buffer.alloc(0) });
      return `${said(answer)}, ${await blobIn(wire, name, descriptor.digest)}`;
    },
  },
  {
    end: 'end-6',
    asks: 'PUT of a whole blob named by its sha512',
    answer: '201, there',
    leeway: 'sha512 is optional',
    async observe(wire, name) {
      const { bytes } = rulesBlob(name);
      const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
      const location = locationOf(await wire.must(202, 'POST', `/v2/${name}/blobs/uploads/?digest-algorithm=sha512`));
      const answer = await wire.ask('PUT', withDigest(location, digest), { headers: octets, body: bytes });
      return `${said(answer)}, ${await blobIn(wire, name, digest)}`;
    },
  },
  {
    end: 'end-6',
    asks: 'PUT of other bytes than the digest says',
    answer: '400 DIGEST_INVALID, gone',
    async observe(wire, name) {
      const { descriptor } = rulesBlob(name);
      const answer = await wire.ask('PUT', withDigest(await wire.open(name), descriptor.digest), { headers: octets, body: Buffer.from('something else') });
      return `${said(answer)}, ${await blobIn(wire, name, descriptor.digest)}`;
    },
  },
  {
    end: 'end-4b',
    asks: 'POST of a whole blob',
    answer: '201, there',
    leeway: '202 opens a session instead',
    async observe(wire, name) {
      const { bytes, descriptor } = rulesBlob(name);
      const answer = await wire.ask('POST', `/v2/${name}/blobs/uploads/?digest=${encodeURIComponent(descriptor.digest)}`, { headers: octets, body: bytes });
      return `${said(answer)}, ${await blobIn(wire, name, descriptor.digest)}`;
    },
  },
  {
    end: 'end-5',
    asks: 'PATCH of a stream without length, then PUT',
    answer: '202 and 201, there',
    async observe(wire, name) {
      const { bytes, descriptor } = rulesBlob(name);
      const patched = await wire.ask('PATCH', await wire.open(name), { headers: octets, body: inPieces(bytes) });
      const put = await wire.ask('PUT', withDigest(locationOf(patched), descriptor.digest));
      return `${said(patched)} and ${said(put)}, ${await blobIn(wire, name, descriptor.digest)}`;
    },
  },
  {
    end: 'end-5',
    asks: 'PATCH of two chunks in order, then PUT of the last one',
    answer: '202 with 0-399, 202 with 0-799 and 201, there',
    async observe(wire, name) {
      const { bytes, descriptor } = rulesBlob(name);
      const first = await chunk(wire, await wire.open(name), bytes, 0, 400);
      const second = await chunk(wire, locationOf(first), bytes, 400, 800);
      const put = await wire.ask('PUT', withDigest(locationOf(second), descriptor.digest), { headers: { ...octets, 'content-range': '800-999' }, body: bytes.subarray(800) });
      return `${withRange(first)}, ${withRange(second)} and ${said(put)}, ${await blobIn(wire, name, descriptor.digest)}`;
    },
  },
  {
    end: 'end-5',
    asks: 'PATCH of a chunk that leaves a gap',
    answer: '416',
    async observe(wire, name) {
      const { bytes } = rulesBlob(name);
      const first = await chunk(wire, await wire.open(name), bytes, 0, 100);
      const second = await chunk(wire, locationOf(first), bytes, 300, 400);
      return second.status === 202 ? withRange(second) : String(second.status);
    },
  },
  {
    end: 'end-5',
    asks: 'PATCH to the location before the last one',
    answer: '416',
    leeway: 'each answer gives the next location; what an old one does is free',
    async observe(wire, name) {
      const { bytes } = rulesBlob(name);
      const stale = await wire.open(name);
      await chunk(wire, stale, bytes, 0, 100);
      const { status } = await chunk(wire, stale, bytes, 100, 200);
      return String(status);
    },
  },
  {
    end: 'end-13',
    asks: 'GET of an upload of 400 bytes',
    answer: '204 with 0-399',
    async observe(wire, name) {
      const first = await chunk(wire, await wire.open(name), rulesBlob(name).bytes, 0, 400);
      return withRange(await wire.ask('GET', locationOf(first)));
    },
  },
  {
    end: 'end-13',
    asks: 'GET of an upload that was cut in the middle of a PUT, then PATCH of the rest and PUT',
    answer: '204, 202 and 201, there',
    leeway: 'a session may be lost',
    observe: cutUpload,
  },
  {
    end: 'end-13',
    asks: 'GET of an absent upload',
    answer: '404',
    observe: async (wire, name) => String((await wire.ask('GET', `/v2/${name}/blobs/uploads/0b9a4e6e-6a3e-4a5e-9d0c-3f1f7c3a5a11`)).status),
  },
  {
    end: '-',
    asks: 'DELETE of an upload',
    answer: '204',
    leeway: 'not in the specification',
    observe: async (wire, name) => said(await wire.ask('DELETE', await wire.open(name))),
  },
  {
    end: 'end-11',
    asks: 'POST that mounts a blob from where it is',
    answer: '201, there',
    leeway: '202 opens a session instead',
    async observe(wire, name) {
      const blob = rulesBlob(name);
      await wire.pushBlob(`${name}/from`, blob);
      return mount(wire, name, blob.descriptor.digest, `&from=${name}/from`);
    },
  },
  {
    end: 'end-11',
    asks: 'POST that mounts a blob from where it is not',
    answer: '202, gone',
    observe: async (wire, name) => mount(wire, name, absentDigest(name), `&from=${name}/from`),
  },
  {
    end: 'end-11',
    asks: 'POST that mounts a blob from nowhere in particular',
    answer: '202, gone',
    leeway: 'the registry may look for it',
    async observe(wire, name) {
      const blob = rulesBlob(name);
      await wire.pushBlob(`${name}/from`, blob);
      return mount(wire, name, blob.descriptor.digest, '');
    },
  },
];

async function chunk(wire: Wire, location: string, bytes: Uint8Array, from: number, to: number): Promise<Answer> {
  return wire.ask('PATCH', location, { headers: { ...octets, 'content-range': `${from}-${to - 1}` }, body: bytes.subarray(from, to) });
}

function withRange(answer: Answer): string {
  return answer.status < 400 ? `${answer.status} with ${answer.headers['range'] ?? 'no range'}` : said(answer);
}

async function mount(wire: Wire, name: string, digest: string, from: string): Promise<string> {
  const answer = await wire.ask('POST', `/v2/${name}/blobs/uploads/?mount=${encodeURIComponent(digest)}${from}`);
  return `${said(answer)}, ${await blobIn(wire, name, digest)}`;
}

async function blobIn(wire: Wire, name: string, digest: string): Promise<'there' | 'gone'> {
  return (await wire.ask('HEAD', `/v2/${name}/blobs/${digest}`)).status === 200 ? 'there' : 'gone';
}

/** A registry learns of the cut in its own time: it is asked until it knows of bytes, or of no session. */
async function cutUpload(wire: Wire, name: string): Promise<string> {
  const location = await wire.open(name);
  const { bytes, descriptor } = rulesBlob(name, 1_000_000);
  const sending = wire.ask('PUT', withDigest(location, descriptor.digest), { headers: { ...octets, 'content-length': '1000000' }, body: breaking(bytes.subarray(0, 600_000)) });
  await sending.catch(() => undefined);
  const status = await settled(wire, location);
  if (status.status !== 204) return String(status.status);
  const have = Number(status.headers['range']?.split('-')[1]) + 1;
  const patched = await chunk(wire, locationOf(status), bytes, have, bytes.length);
  const put = await wire.ask('PUT', withDigest(locationOf(patched), descriptor.digest));
  return `204, ${said(patched)} and ${said(put)}, ${await blobIn(wire, name, descriptor.digest)}`;
}

async function settled(wire: Wire, location: string): Promise<Answer> {
  for (let before = '', same = 0; ; ) {
    const answer = await wire.ask('GET', location);
    const range = answer.headers['range'] ?? '';
    same = range === before && range !== '0-0' ? same + 1 : 0;
    if (answer.status !== 204 || same === 3) return answer;
    before = range;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function* inPieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 300) yield bytes.subarray(at, at + 300);
}

async function* breaking(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
  await new Promise((resolve) => setTimeout(resolve, 50)); // or nothing was on the wire yet
  throw new Error('cut');
}
