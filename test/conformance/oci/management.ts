/** Content management: what a deletion takes with it. This is what section "Deleting" of the concept rests on. */
import { anImage, anIndex } from '../../support/images.js';
import type { Rule } from './rule.js';
import { absentDigest, manifestBody, rulesBlob, said } from './wire.js';

export const managementRules: readonly Rule[] = [
  {
    end: 'end-9',
    asks: 'DELETE of one of two tags on a digest',
    answer: '202; the tag gone, its sibling there, the digest there',
    leeway: 'deletion by tag may be refused',
    async observe(wire, name) {
      const image = anImage(name);
      for (const tag of ['one', 'two']) await wire.pushImage(name, tag, image);
      const answer = await wire.ask('DELETE', `/v2/${name}/manifests/one`);
      return `${said(answer)}; the tag ${await wire.sees(name, 'one')}, its sibling ${await wire.sees(name, 'two')}, the digest ${await wire.sees(name, image.manifest.digest)}`;
    },
  },
  {
    end: 'end-9',
    asks: 'DELETE of the only tag on a digest',
    answer: '202; the tag gone, the digest there',
    leeway: 'deletion by tag may be refused, untagged manifests may be collected',
    async observe(wire, name) {
      const image = anImage(name);
      await wire.pushImage(name, 'one', image);
      const answer = await wire.ask('DELETE', `/v2/${name}/manifests/one`);
      return `${said(answer)}; the tag ${await wire.sees(name, 'one')}, the digest ${await wire.sees(name, image.manifest.digest)}`;
    },
  },
  {
    end: 'end-9',
    asks: 'DELETE of an absent tag',
    answer: '404 MANIFEST_UNKNOWN',
    leeway: 'deletion by tag may be refused',
    async observe(wire, name) {
      await wire.pushImage(name, '1', anImage(name));
      return said(await wire.ask('DELETE', `/v2/${name}/manifests/none`));
    },
  },
  {
    end: 'end-9',
    asks: 'DELETE of a digest with a tag on it',
    answer: '202; the digest gone, its tag gone',
    leeway: 'deletion may be refused; what becomes of tags is free',
    async observe(wire, name) {
      const image = anImage(name);
      await wire.pushImage(name, '1', image);
      const answer = await wire.ask('DELETE', `/v2/${name}/manifests/${image.manifest.digest}`);
      const { tags } = await wire.tags(name);
      const tag = (await wire.sees(name, '1')) === 'there' ? 'there' : tags.includes('1') ? 'listed, and leading nowhere' : 'gone';
      return `${said(answer)}; the digest ${await wire.sees(name, image.manifest.digest)}, its tag ${tag}`;
    },
  },
  {
    end: 'end-9',
    asks: 'DELETE of an image that an index lists',
    answer: '202; the image gone, the index there',
    leeway: 'deletion may be refused',
    async observe(wire, name) {
      const child = anImage(name);
      await wire.pushImage(name, child.manifest.digest, child);
      await wire.must(201, 'PUT', `/v2/${name}/manifests/1`, manifestBody(anIndex([child]).root));
      const answer = await wire.ask('DELETE', `/v2/${name}/manifests/${child.manifest.digest}`);
      return `${said(answer)}; the image ${await wire.sees(name, child.manifest.digest)}, the index ${await wire.sees(name, '1')}`;
    },
  },
  {
    end: 'end-9',
    asks: 'DELETE of an index without a tag',
    answer: '202; the index gone, its image there',
    leeway: 'deletion may be refused',
    async observe(wire, name) {
      const graph = anIndex([anImage(name)]);
      const [child] = graph.images;
      if (child !== undefined) await wire.pushImage(name, child.manifest.digest, child);
      await wire.must(201, 'PUT', `/v2/${name}/manifests/${graph.root.digest}`, manifestBody(graph.root));
      const answer = await wire.ask('DELETE', `/v2/${name}/manifests/${graph.root.digest}`);
      return `${said(answer)}; the index ${await wire.sees(name, graph.root.digest)}, its image ${await wire.sees(name, child?.manifest.digest ?? '')}`;
    },
  },
  {
    end: 'end-9',
    asks: 'DELETE of an absent digest',
    answer: '404 MANIFEST_UNKNOWN',
    leeway: 'deletion may be refused',
    async observe(wire, name) {
      await wire.pushImage(name, '1', anImage(name));
      return said(await wire.ask('DELETE', `/v2/${name}/manifests/${absentDigest(name)}`));
    },
  },
  {
    end: 'end-10',
    asks: 'DELETE of a blob',
    answer: '202; the blob gone',
    leeway: 'deletion may be refused',
    async observe(wire, name) {
      const blob = rulesBlob(name);
      await wire.pushBlob(name, blob);
      const path = `/v2/${name}/blobs/${blob.descriptor.digest}`;
      const answer = await wire.ask('DELETE', path);
      return `${said(answer)}; the blob ${(await wire.ask('HEAD', path)).status === 200 ? 'there' : 'gone'}`;
    },
  },
];
