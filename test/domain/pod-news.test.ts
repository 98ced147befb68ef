import { describe, expect, test } from '@jest/globals';
import { routeReasons } from '../../src/domain/names.js';
import { podNews, storyOf } from '../../src/domain/pod-news.js';
import type { Pod } from '../../src/domain/usage.js';
import { aPod } from '../support/builders.js';

const copy = 'registry.example.com/mirror/library/nginx:1.27';
const rule = 'ClusterImageSetMirror/main';

/** A Pod as the webhook leaves it. */
function routed(reason: string, { now = copy, written = 'nginx:1.27', by = rule }: { now?: string; written?: string; by?: string } = {}): Pod {
  return aPod({
    images: { web: now },
    annotations: {
      'kuik.enix.io/original-images': JSON.stringify({ web: written }),
      'kuik.enix.io/reason': JSON.stringify({ web: reason }),
      ...(by === '' ? {} : { 'kuik.enix.io/rewritten-by': JSON.stringify({ web: by }) }),
    },
  });
}

describe('what is told of a Pod', () => {
  test.each<[string, Pod, string]>([
    ['a place that ranks first', routed('PlacePreferred'), `Normal PlacePreferred container web is pulled from ${copy} (${rule}), which ranks before nginx:1.27`],
    ['a place that took over', routed('OriginUnavailable'), `Normal OriginUnavailable container web is pulled from ${copy} (${rule}), because nginx:1.27 was not available`],
    ['an origin that is never used', routed('OriginDiscarded'), `Normal OriginDiscarded container web is pulled from ${copy} (${rule}), because nothing shall be pulled from the registry of nginx:1.27`],
    [
      'a name of v1',
      routed('V1Reference', { now: 'docker.io/library/nginx:1.27', written: 'localhost:7439/nginx:1.27', by: '' }),
      'Normal V1Reference container web is pulled from docker.io/library/nginx:1.27, which is what localhost:7439/nginx:1.27 stands for',
    ],
    [
      'nothing that answered, with the next step',
      routed('NoPlaceAvailable', { now: 'nginx:1.27', by: '' }),
      'Warning NoPlaceAvailable container web keeps nginx:1.27, as no place answered in time; kuik explain pod/web-1 -n shop shows each of them',
    ],
  ])('%s', (_sentence, pod, expected) => {
    expect(podNews(pod).map(({ type, reason, note }) => `${type} ${reason} ${note}`)).toEqual([expected]);
  });

  test.each(routeReasons.filter((reason) => !['PlacePreferred', 'OriginUnavailable', 'OriginDiscarded', 'V1Reference', 'NoPlaceAvailable'].includes(reason)))('nothing with %s', (reason) => {
    const pod = routed(reason, { now: 'nginx:1.27', by: '' });

    expect([storyOf(pod.annotations), podNews(pod)]).toEqual([undefined, []]);
  });

  test('containers with one reason share the news, volumes included', () => {
    const keys = { web: 'nginx:1.27', 'volume:data': 'acme/data:1' };
    const pod = aPod({
      images: { web: copy },
      spec: { volumes: [{ name: 'data', image: { reference: 'registry.example.com/mirror/acme/data:1' } }] },
      annotations: { 'kuik.enix.io/original-images': JSON.stringify(keys), 'kuik.enix.io/reason': JSON.stringify({ web: 'PlacePreferred', 'volume:data': 'PlacePreferred' }) },
    });

    expect(podNews(pod).map(({ note }) => note)).toEqual([`container web is pulled from ${copy}, which ranks before nginx:1.27; volume data is pulled from registry.example.com/mirror/acme/data:1, which ranks before acme/data:1`]);
  });
});

describe('annotations that somebody wrote by hand tell nothing', () => {
  test.each<[string, Pod]>([
    ['a rewrite that did not take place', routed('PlacePreferred', { now: 'nginx:1.27' })],
    ['a place that was found after all', routed('NoPlaceAvailable')],
    ['a container that does not exist', aPod({ annotations: { 'kuik.enix.io/reason': '{"other":"PlacePreferred"}', 'kuik.enix.io/original-images': '{"other":"nginx"}' } })],
    ['an original that is not recorded', aPod({ annotations: { 'kuik.enix.io/reason': '{"web":"PlacePreferred"}' } })],
    ['texts that make no sense', aPod({ annotations: { 'kuik.enix.io/reason': 'PlacePreferred', 'kuik.enix.io/original-images': '[' } })],
  ])('%s', (_what, pod) => {
    expect(podNews(pod)).toEqual([]);
  });
});

test('the story of a Pod changes with its decisions, and with nothing else', () => {
  const pod = routed('PlacePreferred');
  const labelled = { ...pod.annotations, 'example.com/other': 'x' };

  expect(storyOf(labelled)).toBe(storyOf(pod.annotations));
  expect(storyOf(routed('OriginUnavailable').annotations)).not.toBe(storyOf(pod.annotations));
  expect(storyOf(routed('PlacePreferred', { written: 'nginx:1.28' }).annotations)).not.toBe(storyOf(pod.annotations));
});
