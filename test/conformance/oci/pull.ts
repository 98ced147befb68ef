/** Pulling: blobs and manifests. */
import { anImage, anIndex } from '../../support/images.js';
import type { Rule } from './rule.js';
import { absentDigest, everyType, isSame, manifestBody, rulesBlob, said } from './wire.js';

const imageType = 'application/vnd.oci.image.manifest.v1+json';

export const pullRules: readonly Rule[] = [
  {
    end: 'end-1',
    asks: 'GET of /v2/',
    answer: '200',
    observe: async (wire) => said(await wire.ask('GET', '/v2/')),
  },
  {
    end: 'end-2',
    asks: 'GET of a blob',
    answer: '200, the bytes',
    async observe(wire, name) {
      const blob = rulesBlob(name);
      await wire.pushBlob(name, blob);
      const answer = await wire.ask('GET', `/v2/${name}/blobs/${blob.descriptor.digest}`);
      return `${said(answer)}, ${isSame(answer.bytes, blob.bytes)}`;
    },
  },
  {
    end: 'end-2',
    asks: 'HEAD of a blob',
    answer: '200, length 1000',
    async observe(wire, name) {
      const blob = rulesBlob(name);
      await wire.pushBlob(name, blob);
      const { status, headers } = await wire.ask('HEAD', `/v2/${name}/blobs/${blob.descriptor.digest}`);
      return `${status}, length ${headers['content-length'] ?? 'unknown'}`;
    },
  },
  {
    end: 'end-2',
    asks: 'GET of an absent blob',
    answer: '404 BLOB_UNKNOWN',
    async observe(wire, name) {
      await wire.pushBlob(name, rulesBlob(name));
      return said(await wire.ask('GET', `/v2/${name}/blobs/${absentDigest(name)}`));
    },
  },
  ranged('bytes=10-', '206, the bytes', (bytes) => bytes.subarray(10)),
  ranged('bytes=10-19', '206, the bytes', (bytes) => bytes.subarray(10, 20)),
  ranged('bytes=1000-', '416', () => Buffer.alloc(0)),
  {
    end: 'end-3',
    asks: 'GET of a manifest by tag, every type accepted',
    answer: '200, the bytes, with type and digest',
    observe: async (wire, name) => shown(wire, name, '1', 'GET'),
  },
  {
    end: 'end-3',
    asks: 'GET of a manifest by digest, every type accepted',
    answer: '200, the bytes, with type and digest',
    observe: async (wire, name) => shown(wire, name, anImage(name).manifest.digest, 'GET'),
  },
  {
    end: 'end-3',
    asks: 'HEAD of a manifest by tag, every type accepted',
    answer: '200, with type and digest',
    observe: async (wire, name) => shown(wire, name, '1', 'HEAD'),
  },
  {
    end: 'end-3',
    asks: 'GET of an absent tag',
    answer: '404 MANIFEST_UNKNOWN',
    async observe(wire, name) {
      await wire.pushImage(name, '1', anImage(name));
      return said(await wire.ask('GET', `/v2/${name}/manifests/none`, { headers: { accept: everyType } }));
    },
  },
  {
    end: 'end-3',
    asks: 'GET of a tag in an absent repository',
    answer: '404',
    observe: async (wire, name) => String((await wire.ask('GET', `/v2/${name}/manifests/1`, { headers: { accept: everyType } })).status),
  },
  {
    end: 'end-3',
    asks: 'HEAD of an OCI manifest without Accept',
    answer: '200',
    leeway: 'clients should say what they accept',
    async observe(wire, name) {
      await wire.pushImage(name, '1', anImage(name));
      return said(await wire.ask('HEAD', `/v2/${name}/manifests/1`));
    },
  },
  {
    end: 'end-3',
    asks: 'GET of an index where only manifests are accepted',
    answer: '200',
    leeway: 'Accept may be heeded',
    async observe(wire, name) {
      const graph = anIndex([anImage(name)]);
      for (const image of graph.images) await wire.pushImage(name, image.manifest.digest, image);
      await wire.must(201, 'PUT', `/v2/${name}/manifests/1`, manifestBody(graph.root));
      return said(await wire.ask('GET', `/v2/${name}/manifests/1`, { headers: { accept: imageType } }));
    },
  },
  {
    end: 'end-3',
    asks: 'HEAD of a tag with If-None-Match of its digest',
    answer: '304',
    leeway: 'conditional requests are HTTP, and optional',
    async observe(wire, name) {
      const image = anImage(name);
      await wire.pushImage(name, '1', image);
      return said(await wire.ask('HEAD', `/v2/${name}/manifests/1`, { headers: { accept: everyType, 'if-none-match': `"${image.manifest.digest}"` } }));
    },
  },
];

function ranged(range: string, answer: string, part: (bytes: Uint8Array) => Uint8Array): Rule {
  return {
    end: 'end-2',
    asks: `GET of a blob of 1000 bytes with Range: ${range}`,
    answer,
    leeway: 'ranges are optional',
    async observe(wire, name) {
      const blob = rulesBlob(name);
      await wire.pushBlob(name, blob);
      const got = await wire.ask('GET', `/v2/${name}/blobs/${blob.descriptor.digest}`, { headers: { range } });
      if (got.status === 206) return `206, ${isSame(got.bytes, part(blob.bytes))}`;
      return got.isShort ? `${got.status}, with less of a body than its length says` : String(got.status);
    },
  };
}

async function shown(wire: Parameters<Rule['observe']>[0], name: string, reference: string, method: 'GET' | 'HEAD'): Promise<string> {
  const image = anImage(name);
  await wire.pushImage(name, '1', image);
  const answer = await wire.ask(method, `/v2/${name}/manifests/${reference}`, { headers: { accept: everyType } });
  const isNamed = answer.headers['content-type'] === imageType && answer.headers['docker-content-digest'] === image.manifest.digest;
  return [said(answer), ...(method === 'GET' ? [isSame(answer.bytes, image.manifest.bytes)] : []), isNamed ? 'with type and digest' : 'type or digest missing'].join(', ');
}
