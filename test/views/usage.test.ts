import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { imageName, knownImageRef, placeIdentity, type ImageName, type PlaceId } from '../../src/domain/image-ref.js';
import { imagesUsed } from '../../src/domain/original.js';
import type { Pod } from '../../src/domain/usage.js';
import { UsageView } from '../../src/views/usage.js';
import { aPod } from '../support/builders.js';
import { delivered, outcome, stories } from './shuffled.js';

const v1ProxyPort = 7439;
const digest = `sha256:${'a'.repeat(64)}`;

const named = (text: string): ImageName => imageName(knownImageRef(text));
const placed = (text: string): PlaceId => placeIdentity(knownImageRef(text));

function viewOf(...pods: readonly Pod[]): UsageView {
  const view = new UsageView({ v1ProxyPort });
  for (const pod of pods) view.apply({ type: 'put', key: pod.key, object: pod });
  return view;
}

const rewritten = aPod({
  name: 'rewritten',
  images: { web: 'registry.example.com/mirror/library/nginx:1.27' },
  annotations: { 'kuik.enix.io/original-images': '{"web":"nginx:1.27"}' },
});

describe('usage', () => {
  test('knows who names an image now, and who once wrote it', () => {
    const view = viewOf(aPod({ name: 'plain', images: { web: 'nginx:1.27', log: 'busybox' } }), rewritten);

    expect(view.snapshot()).toMatchObject([
      { name: 'docker.io/library/busybox:latest', pods: 1, original: false },
      { name: 'docker.io/library/nginx:1.27', pods: 2, original: true },
      { name: 'registry.example.com/mirror/library/nginx:1.27', pods: 1, original: false },
    ]);
    expect(view.podsOf(named('nginx:1.27')).map(({ name }) => name)).toEqual(['plain', 'rewritten']);
    expect(view.podsOf(named('nginx:1.27'), 'current').map(({ name }) => name)).toEqual(['plain']);
    expect(view.podsAt(placed('registry.example.com/mirror/library/nginx:1.27'))).toHaveLength(1);
  });

  test('a place is the same whichever way it is spelled', () => {
    const view = viewOf(aPod({ name: 'tagged', images: { web: `nginx:1.27@${digest}` } }), aPod({ name: 'bare', images: { web: `docker.io/library/nginx@${digest}` } }));

    expect(view.podsAt(placed(`nginx@${digest}`)).map(({ name }) => name)).toEqual(['tagged', 'bare']);
    expect(view.byImage(named(`nginx:1.27@${digest}`))?.pods).toBe(1);
  });

  test('finished Pods count: their logs and restarts still need the image', () => {
    const finished = { ...aPod({ name: 'job' }), phase: 'Succeeded' };

    expect(viewOf(finished).byImage(named('nginx:1.27'))?.pods).toBe(1);
  });

  test('forgets an image with its last Pod', () => {
    const view = viewOf(aPod(), rewritten);
    view.apply({ type: 'gone', key: 'shop/rewritten' });
    expect(view.byImage(named('nginx:1.27'))).toMatchObject({ pods: 1, original: false });

    view.apply({ type: 'gone', key: 'shop/web-1' });
    expect(view.snapshot()).toEqual([]);
    expect(view.podsAt(placed('nginx:1.27'))).toEqual([]);
    expect(view.podCount).toBe(0);
  });

  test.each([
    ['the same Pod again', aPod()],
    ['a Pod whose status alone is new', { ...aPod(), createdAt: '2026-11-20T10:00:00Z' }],
  ])('%s is no change', (_what, again) => {
    let changes = 0;
    const view = new UsageView({ v1ProxyPort, onChange: () => (changes += 1) });
    view.apply({ type: 'put', key: 'shop/web-1', object: aPod() });
    view.apply({ type: 'put', key: 'shop/web-1', object: structuredClone(again) });
    view.apply({ type: 'gone', key: 'shop/never-was' });

    expect(changes).toBe(1);
  });

  test('Pods of one workload share what they have in common', () => {
    const view = viewOf(aPod({ name: 'a', labels: { app: 'web' } }), aPod({ name: 'b', labels: { app: 'web' } }));
    const [first, second] = [view.pod('shop/a'), view.pod('shop/b')];

    expect(second?.labels).toBe(first?.labels);
    expect(second?.usages).toBe(first?.usages);
    expect(second === undefined ? undefined : view.imagesOf(second)).toBe(first === undefined ? undefined : view.imagesOf(first));
  });

  test('is complete when it has been told so', () => {
    const view = viewOf(aPod());
    expect(view.isSynced).toBe(false);

    view.apply({ type: 'synced' });
    expect(view.isSynced).toBe(true);
  });

  test('ends up the same however the events come', () => {
    const image = fc.constantFrom('nginx:1.27', 'nginx', 'redis:7', `nginx:1.27@${digest}`, 'not an image', 'quay.io/a/b:c');
    const original = fc.option(image, { nil: undefined });
    const podOf = (key: string): fc.Arbitrary<Pod> =>
      fc.tuple(image, image, original).map(([web, log, was]) =>
        aPod({
          namespace: 'shop',
          name: key.slice('shop/'.length),
          images: { web, log },
          annotations: was === undefined ? {} : { 'kuik.enix.io/original-images': JSON.stringify({ web: was }) },
        }),
      );

    fc.assert(
      fc.property(
        stories(['shop/a', 'shop/b', 'shop/c'], podOf).chain((told) => fc.tuple(fc.constant(told), delivered(told))),
        ([told, changes]) => {
          const view = new UsageView({ v1ProxyPort });
          for (const change of changes) view.apply(change);
          const pods = [...outcome(told).values()];

          expect(view.podCount).toBe(pods.length);
          expect(new Map(view.snapshot().map(({ name, pods: users }) => [name, users]))).toEqual(countByHand(pods));
          for (const { name, ref } of view.snapshot()) {
            const users = pods.filter((pod) => imagesUsed(pod, v1ProxyPort).some((used) => used.isCurrent && placeIdentity(used.ref) === placeIdentity(ref)));
            expect(new Set(view.podsAt(placeIdentity(ref)).map(({ key }) => key))).toEqual(new Set(users.map(({ key }) => key)));
            expect(view.byImage(name)?.original).toBe(pods.some((pod) => imagesUsed(pod, v1ProxyPort).some((used) => used.name === name && used.isOriginal)));
          }
        },
      ),
    );
  });
});

function countByHand(pods: readonly Pod[]): Map<ImageName, number> {
  const counts = new Map<ImageName, number>();
  for (const pod of pods) for (const { name } of imagesUsed(pod, v1ProxyPort)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
