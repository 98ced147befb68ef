/** Content discovery: tags in pages, referrers. */
import { anImage, blobOf, written, type AnImage } from '../../support/images.js';
import type { Rule } from './rule.js';
import { absentDigest, manifestBody, said, type Answer, type Wire } from './wire.js';

const config = blobOf('application/vnd.oci.image.config.v1+json', Buffer.from('{}'));

export const discoveryRules: readonly Rule[] = [
  {
    end: 'end-8a',
    asks: 'GET of all tags',
    answer: '200, a b c d e f g h',
    async observe(wire, name) {
      await tagged(wire, name);
      return listed(await wire.tags(name));
    },
  },
  {
    end: 'end-8a',
    asks: 'GET of the tags of an absent repository',
    answer: '404 NAME_UNKNOWN',
    observe: async (wire, name) => said((await wire.tags(name)).answer),
  },
  {
    end: 'end-8b',
    asks: 'GET of two tags of eight',
    answer: '200, a b, with Link',
    leeway: 'Link is optional',
    async observe(wire, name) {
      await tagged(wire, name);
      return listed(await wire.tags(name, '?n=2'));
    },
  },
  {
    end: 'end-8b',
    asks: 'GET of two tags after the sixth',
    answer: '200, g h',
    async observe(wire, name) {
      await tagged(wire, name);
      return listed(await wire.tags(name, '?n=2&last=f'));
    },
  },
  {
    end: 'end-8b',
    asks: 'GET of exactly as many tags as there are',
    answer: '200, a b c d e f g h',
    async observe(wire, name) {
      await tagged(wire, name);
      return listed(await wire.tags(name, '?n=8'));
    },
  },
  {
    end: 'end-12a',
    asks: 'GET of the referrers of an image that has two',
    answer: '200, 2 referrers',
    observe: async (wire, name) => referrersAfter(wire, name, ''),
  },
  {
    end: 'end-12a',
    asks: 'GET of the referrers of nothing',
    answer: '200, 0 referrers',
    async observe(wire, name) {
      await wire.pushImage(name, '1', anImage(name));
      return counted(await wire.ask('GET', `/v2/${name}/referrers/${absentDigest(name)}`));
    },
  },
  {
    end: 'end-12b',
    asks: 'GET of the referrers of one artifact type',
    answer: '200, 1 referrer, filter named',
    leeway: 'the filter is optional',
    observe: async (wire, name) => referrersAfter(wire, name, '?artifactType=application/one'),
  },
];

async function tagged(wire: Wire, name: string): Promise<void> {
  const image = anImage(name);
  await wire.pushImage(name, 'f', image);
  for (const tag of ['a', 'h', 'c', 'g', 'b', 'e', 'd']) await wire.must(201, 'PUT', `/v2/${name}/manifests/${tag}`, manifestBody(image.manifest));
}

/** The order is part of the answer: pages need one. */
function listed({ answer, tags }: Awaited<ReturnType<Wire['tags']>>): string {
  if (answer.status !== 200) return said(answer);
  const isSorted = tags.join() === [...tags].sort().join();
  const shown = isSorted ? tags.join(' ') : `${tags.length}, unsorted`;
  return `200, ${shown === '' ? 'none' : shown}${answer.headers['link'] === undefined ? '' : ', with Link'}`;
}

async function referrersAfter(wire: Wire, name: string, query: string): Promise<string> {
  const subject = anImage(name);
  await wire.pushImage(name, '1', subject);
  await wire.pushBlob(name, config);
  for (const artifactType of ['application/one', 'application/two']) await wire.must(201, 'PUT', `/v2/${name}/manifests/${artifactType.slice(12)}`, manifestBody(aReferrer(artifactType, subject)));
  return counted(await wire.ask('GET', `/v2/${name}/referrers/${subject.manifest.digest}${query}`));
}

function aReferrer(artifactType: string, { descriptor }: AnImage): ReturnType<typeof written> {
  return written({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', artifactType, config: config.descriptor, layers: [], subject: descriptor });
}

function counted(answer: Answer): string {
  if (answer.status !== 200) return said(answer);
  const { manifests } = JSON.parse(answer.bytes.toString()) as { manifests: readonly unknown[] };
  const filter = answer.headers['oci-filters-applied'] === undefined ? '' : ', filter named';
  return `200, ${manifests.length} ${manifests.length === 1 ? 'referrer' : 'referrers'}${filter}`;
}
