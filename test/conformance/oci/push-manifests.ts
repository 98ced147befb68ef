/** Publishing: what a registry wants to see below a manifest, and how large it may be. */
import { aBlob, anImage, anIndex, blobOf, written } from '../../support/images.js';
import type { Rule } from './rule.js';
import { manifestBody, said } from './wire.js';

const imageType = 'application/vnd.oci.image.manifest.v1+json';
const foreignType = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
const config = blobOf('application/vnd.oci.image.config.v1+json', Buffer.from('{}'));

export const manifestRules: readonly Rule[] = [
  {
    end: 'end-7',
    asks: 'PUT of an image by tag',
    answer: '201, its digest named',
    async observe(wire, name) {
      const image = anImage(name);
      const answer = await wire.pushImage(name, '1', image);
      return `${said(answer)}, ${answer.headers['docker-content-digest'] === image.manifest.digest ? 'its digest named' : 'no digest named'}`;
    },
  },
  {
    end: 'end-7',
    asks: 'PUT of an image by digest',
    answer: '201',
    async observe(wire, name) {
      const image = anImage(name);
      return said(await wire.pushImage(name, image.manifest.digest, image));
    },
  },
  {
    end: 'end-7',
    asks: 'PUT of an image by another digest',
    answer: '400 DIGEST_INVALID',
    async observe(wire, name) {
      const image = anImage(name);
      await wire.pushImage(name, '1', image);
      return said(await wire.ask('PUT', `/v2/${name}/manifests/${anImage('other').manifest.digest}`, manifestBody(image.manifest)));
    },
  },
  {
    end: 'end-7',
    asks: 'PUT of something that is no manifest',
    answer: '400 MANIFEST_INVALID',
    leeway: 'what is checked is free',
    observe: async (wire, name) => said(await wire.ask('PUT', `/v2/${name}/manifests/1`, { headers: { 'content-type': imageType }, body: Buffer.from('no manifest') })),
  },
  {
    end: 'end-7',
    asks: 'PUT of an image whose layer is absent',
    answer: '400 MANIFEST_BLOB_UNKNOWN',
    leeway: 'it may be accepted; the status is free',
    observe: async (wire, name) => said(await wire.ask('PUT', `/v2/${name}/manifests/1`, manifestBody(anImage(name).manifest))),
  },
  {
    end: 'end-7',
    asks: 'PUT of an index with all its images',
    answer: '201',
    async observe(wire, name) {
      const graph = anIndex([anImage(`${name}-a`), anImage(`${name}-b`)]);
      for (const image of graph.images) await wire.pushImage(name, image.manifest.digest, image);
      return said(await wire.ask('PUT', `/v2/${name}/manifests/1`, manifestBody(graph.root)));
    },
  },
  {
    end: 'end-7',
    asks: 'PUT of an index with one of its two images',
    answer: '201',
    leeway: 'children may be demanded',
    async observe(wire, name) {
      const [there, absent] = [anImage(`${name}-a`), anImage(`${name}-b`)];
      await wire.pushImage(name, there.manifest.digest, there);
      return said(await wire.ask('PUT', `/v2/${name}/manifests/1`, manifestBody(anIndex([there, absent]).root)));
    },
  },
  {
    end: 'end-7',
    asks: 'PUT of an image with a layer that is only at urls',
    answer: '201',
    leeway: 'foreign layers may be refused',
    async observe(wire, name) {
      await wire.pushBlob(name, config);
      const layer = { ...aBlob(name).descriptor, mediaType: foreignType, urls: ['https://layers.example.com/a'] };
      const image = written({ schemaVersion: 2, mediaType: imageType, config: config.descriptor, layers: [layer] });
      return said(await wire.ask('PUT', `/v2/${name}/manifests/1`, manifestBody(image)));
    },
  },
  sized(4, 'PUT of a manifest just below 4 MiB', '201'),
  sized(5, 'PUT of a manifest of 5 MiB', '201', '4 MiB must be accepted, more may be refused'),
  {
    end: 'end-7',
    asks: 'PUT of an image with a subject',
    answer: '201, OCI-Subject named',
    async observe(wire, name) {
      const subject = anImage(name);
      await wire.pushImage(name, '1', subject);
      await wire.pushBlob(name, config);
      const answer = await wire.ask('PUT', `/v2/${name}/manifests/signature`, manifestBody(written({ schemaVersion: 2, mediaType: imageType, artifactType: 'application/example', config: config.descriptor, layers: [], subject: subject.descriptor })));
      return `${said(answer)}, ${answer.headers['oci-subject'] === subject.descriptor.digest ? 'OCI-Subject named' : 'no OCI-Subject'}`;
    },
  },
];

function sized(mebibytes: number, asks: string, answer: string, leeway?: string): Rule {
  return {
    end: 'end-7',
    asks,
    answer,
    ...(leeway === undefined ? {} : { leeway }),
    async observe(wire, name) {
      await wire.pushBlob(name, config);
      const annotations = { padding: 'x'.repeat(mebibytes * 1024 * 1024 - 1000) };
      return said(await wire.ask('PUT', `/v2/${name}/manifests/1`, manifestBody(written({ schemaVersion: 2, mediaType: imageType, config: config.descriptor, layers: [], annotations }))));
    },
  };
}
