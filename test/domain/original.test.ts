import { describe, expect, test } from '@jest/globals';
import { imagesUsed, originalsOf, readOriginals } from '../../src/domain/original.js';
import { aPod, type SomePod } from '../support/builders.js';

const recording = (originals: unknown): SomePod['annotations'] => ({ 'kuik.enix.io/original-images': JSON.stringify(originals) });

describe('what a Pod records of itself', () => {
  test.each([
    ['texts by usage', '{"web":"nginx:1.27","volume:model":"m:1"}', { web: 'nginx:1.27', 'volume:model': 'm:1' }],
    ["init containers in v2's spelling", '{"init:setup":"busybox:1"}', { setup: 'busybox:1' }],
    ['init containers in both spellings, ours first', '{"init:setup":"old:1","setup":"new:1"}', { setup: 'new:1' }],
    ['init containers in both spellings, in either order', '{"setup":"new:1","init:setup":"old:1"}', { setup: 'new:1' }],
    ['nothing but texts', '{"web":1,"side":null,"init":"a:1"}', { init: 'a:1' }],
    ['an odd key as any other', '{"__proto__":"a:1"}', { ['__proto__']: 'a:1' }],
  ])('%s', (_sentence, value, expected) => {
    expect(Object.fromEntries(readOriginals(value) ?? [])).toEqual(expected);
  });

  test.each(['', 'nginx', '[]', '"a"', 'null', '{', '1'])('%j is unreadable and counts as empty', (value) => {
    expect(readOriginals(value)).toBeUndefined();
    expect(originalsOf(aPod({ annotations: { 'kuik.enix.io/original-images': value } })).size).toBe(0);
  });

  test('a Pod without the annotation records nothing', () => {
    expect(originalsOf(aPod()).size).toBe(0);
  });
});

describe('the images of a Pod', () => {
  const used = (pod: SomePod): string[] => imagesUsed(aPod(pod), 7439).map(({ name, isCurrent, isOriginal }) => `${name}${isCurrent ? ' current' : ''}${isOriginal ? ' original' : ''}`);

  test.each<[string, SomePod, string[]]>([
    ['are its current ones', { images: { web: 'nginx:1.27', side: 'redis' } }, ['docker.io/library/nginx:1.27 current', 'docker.io/library/redis:latest current']],
    ['appear once, however often and in whichever way they are named', { images: { a: 'nginx:1.27', b: 'docker.io/library/nginx:1.27' } }, ['docker.io/library/nginx:1.27 current']],
    [
      'are the recorded ones too, after it was rewritten',
      { images: { web: 'registry.example.com/mirror/library/nginx:1.27' }, annotations: recording({ web: 'nginx:1.27' }) },
      ['registry.example.com/mirror/library/nginx:1.27 current', 'docker.io/library/nginx:1.27 original'],
    ],
    ['are both at once when nothing was rewritten', { images: { web: 'nginx:1.27' }, annotations: recording({ web: 'nginx:1.27' }) }, ['docker.io/library/nginx:1.27 current original']],
    ['include what is recorded for a container that is gone', { images: { web: 'nginx:1.27' }, annotations: recording({ old: 'redis:7' }) }, ['docker.io/library/nginx:1.27 current', 'docker.io/library/redis:7 original']],
    ['leave out what does not parse', { images: { web: 'Not A Reference' }, annotations: recording({ web: '::' }) }, []],
    [
      "read names of v1's proxy as what they stand for",
      { images: { web: 'localhost:7439/registry-5000/foo:1' }, annotations: { 'original-image-web': 'registry:5000/foo:1' } },
      ['registry:5000/foo:1 current'],
    ],
    [
      "read recorded names of v1's proxy so as well, for init containers too",
      { images: {}, initImages: { setup: 'r.example.com/foo:1' }, annotations: { ...recording({ setup: 'localhost:7439/registry-5000/foo:1' }), 'original-init-image-setup': 'registry:5000/foo:1' } },
      ['r.example.com/foo:1 current', 'registry:5000/foo:1 original'],
    ],
  ])('%s', (_sentence, pod, expected) => {
    expect(used(pod)).toEqual(expected);
  });
});

describe('a Pod that was sent to a mirror', () => {
  const at = 'registry.example.com/mirror/library/nginx:1.27';
  const copyOf = (annotations: Record<string, string>) => imagesUsed(aPod({ images: { web: at }, annotations: { ...recording({ web: 'nginx:1.27' }), ...annotations } }), 7439).find(({ name }) => name === at)?.copy;

  test.each<[string, Record<string, string>, object | undefined]>([
    ['tells of what it pulls a copy, and by which rule', { 'kuik.enix.io/rewritten-by': '{"web":"ImageSetMirror/cache"}' }, { image: 'docker.io/library/nginx:1.27', rule: 'ImageSetMirror/cache' }],
    ['tells nothing of a replica: nobody copied there', { 'kuik.enix.io/rewritten-by': '{"web":"ReplicatedImageSet/same"}' }, undefined],
    ['tells nothing of a container it was not sent for', { 'kuik.enix.io/rewritten-by': '{"other":"ImageSetMirror/cache"}' }, undefined],
    ['tells nothing when its annotation is no JSON', { 'kuik.enix.io/rewritten-by': '{' }, undefined],
  ])('%s', (_sentence, annotations, expected) => {
    expect(copyOf(annotations)).toEqual(expected);
  });
});
