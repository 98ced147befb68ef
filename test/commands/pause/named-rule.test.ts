import { describe, expect, test } from '@jest/globals';
import { namedRule } from '../../../src/commands/pause/named-rule.js';

describe('what somebody names', () => {
  test.each<[string, string, ReturnType<typeof namedRule>]>([
    ['is a rule of the cluster', 'cism/everything', { kind: 'ClusterImageSetMirror', name: 'everything' }],
    ['is a rule of the namespace that was chosen', 'ism/team', { kind: 'ImageSetMirror', name: 'team', namespace: 'chosen' }],
    ['is a rule of the namespace that stands in it, as completion offers it', 'ism/shop/team', { kind: 'ImageSetMirror', name: 'team', namespace: 'shop' }],
    ['is a rule as messages name it', 'ReplicatedImageSet/shop/team', { kind: 'ReplicatedImageSet', name: 'team', namespace: 'shop' }],
    ['is a rule as kubectl prints it', 'imagesetmirror.kuik.enix.io/team', { kind: 'ImageSetMirror', name: 'team', namespace: 'chosen' }],
    ['is a rule in the plural', 'clusterimagesetavailabilities/all.of-it', { kind: 'ClusterImageSetAvailability', name: 'all.of-it' }],
    ['is none with a namespace where the kind has none', 'cism/shop/everything', undefined],
    ['is none with more parts', 'ism/a/b/c', undefined],
    ['is none without a name', 'ism/', undefined],
    ['is none without a name in a namespace', 'ism/shop/', undefined],
    ['is an image where it has a tag', 'ism/team:1', undefined],
    ['is an image', 'library/nginx', undefined],
    ['is an image of one word', 'nginx', undefined],
  ])('%s', (_sentence, text, rule) => {
    expect(namedRule(text, 'chosen')).toEqual(rule);
  });
});
