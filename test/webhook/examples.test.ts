/** The worked examples of the contract, section 14, in memory; `examples.real.test.ts` plays the same through an API server. */
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { secretCopyName } from '../../src/domain/secret-copy.js';
import { aPod, aWorld, imagesOf, noteOf, type World } from './world.js';
import { chapters, withDigests, type Chapter, type Example } from './worked-examples.js';

describe.each(chapters)('$title', (chapter) => {
  test.each(chapter.examples)('$sentence', async (example) => {
    const world = aWorld({ rules: [(example.rule ?? same)(chapter.rule)] });
    const digests = prepare(world, chapter, example);
    const { image, ...more } = example.pod;
    const written = withDigests(image, digests);

    const { pod, patch, outcome } = await world.create(aPod(written, { policy: 'IfNotPresent', ...more }));

    if (example.becomes === 'left alone') return expect([patch, outcome]).toEqual([[], 'skipped']);
    const { becomes } = example;
    expect(imagesOf(pod)).toEqual([withDigests(becomes.image, digests)]);
    expect(noteOf(pod, 'original-images')).toEqual({ c0: written });
    expect(noteOf(pod, 'reason')).toEqual({ c0: becomes.reason });
    expect(noteOf(pod, 'rewritten-by')).toEqual(becomes.by && { c0: becomes.by });
    expect(pod.spec.imagePullSecrets).toEqual(becomes.secret && [{ name: becomes.secret === 'copy' ? copyName(chapter) : becomes.secret }]);
    expect(world.secretActions).toEqual(becomes.secret === 'copy' ? ['created'] : []);
    for (const host of becomes.unasked ?? []) expect(world.registry.host(host).calls).toEqual([]);
  });
});

test('the copy of the Secret of 14.1 has the name the contract gives', () => {
  expect(copyName(chapters[0]!)).toBe('kuik-my-registry-secret-da9df5ef5ace7ba5');
});

test('a pinned image is probed by its digest alone', async () => {
  const world = aWorld({ rules: [chapters[2]!.rule] });
  const digest = world.push('near.example.com:5000/m/acme/api:kuik-anchor');

  await world.create(aPod(`ghcr.io/acme/api:v4@${digest}`, { namespace: 'prod' }));

  expect(world.registry.host('near.example.com:5000').calls[0]?.on).toBe(`near.example.com:5000/m/acme/api@${digest}`);
});

const same = (text: string): string => text;

function prepare(world: World, { accounts = {}, secrets = [] }: Chapter, { there = [], failing = {}, record }: Example): ReadonlyMap<string, string> {
  for (const host of ['far.example.com', 'near.example.com:5000', 'registry.bitnami.com']) world.registry.host(host);
  for (const [host, user] of Object.entries(accounts)) world.registry.host(host).requires(user, 'p');
  for (const { namespace, name, host, user } of secrets) world.pullSecret(namespace, name, host, user);
  for (const [host, code] of Object.entries(failing)) world.registry.host(host).fails(code);
  if (record !== undefined) world.record(record.image, ...record.places);
  return new Map(there.map((image) => [image, world.push(image)]));
}

function copyName({ rule, secrets = [] }: Chapter): string {
  const [source] = secrets;
  if (source === undefined) throw new Error('the chapter has no Secret');
  return secretCopyName(source, (parse(rule) as { metadata: { uid: string } }).metadata.uid);
}
