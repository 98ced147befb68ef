import { describe, expect, test } from '@jest/globals';
import { optOutOf, type SkipSettings } from '../../src/domain/opt-out.js';
import { aPod, matching, selecting, type SomePod } from '../support/builders.js';

const settings: SkipSettings = { labels: [selecting('skip=me'), selecting('also')], annotations: [selecting('quiet')], namespaces: [matching(/infra-.*/)] };

describe('an opt-out', () => {
  test.each<[string, SomePod, Record<string, string>, string | undefined]>([
    ['covers no ordinary Pod', {}, {}, undefined],
    ['is a label of ours', { labels: { 'kuik.enix.io/ignore': 'true' } }, {}, 'PodIgnored'],
    ['is no label of ours with another value', { labels: { 'kuik.enix.io/ignore': 'false' } }, {}, undefined],
    ['is the label v1 knew', { labels: { 'kube-image-keeper.enix.io/image-caching-policy': 'ignore' } }, {}, 'V1Policy'],
    ['is no label v1 knew with another value', { labels: { 'kube-image-keeper.enix.io/image-caching-policy': 'cache' } }, {}, undefined],
    ['is a label on the namespace', {}, { 'kuik.enix.io/ignore': 'true' }, 'NamespaceIgnored'],
    ['is a namespace pattern of the configuration', { namespace: 'infra-dns' }, {}, 'SkipNamespaces'],
    ['matches namespaces as a whole', { namespace: 'my-infra-dns' }, {}, undefined],
    ['is any label selector of the configuration', { labels: { also: '' } }, {}, 'SkipLabels'],
    ['is any annotation selector of the configuration', { annotations: { quiet: 'yes' } }, {}, 'SkipAnnotations'],
    ['does not cover our own namespace by default', { namespace: 'kube-system' }, {}, undefined],
  ])('%s', (_sentence, pod, namespaceLabels, optOut) => {
    expect(optOutOf(aPod(pod), settings, namespaceLabels)).toBe(optOut);
  });

  test('needs no configuration and no namespace to be known', () => {
    expect(optOutOf(aPod(), { labels: [], annotations: [], namespaces: [] })).toBeUndefined();
  });
});
