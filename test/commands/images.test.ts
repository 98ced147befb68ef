import { describe, expect, test } from '@jest/globals';
import { areWell, chosenImages } from '../../src/commands/images/choose.js';
import { imageList, rowOf } from '../../src/commands/images/report.js';
import type { ImagesOptions } from '../../src/commands/images.js';
import { UsageView } from '../../src/views/usage.js';
import { aCopy, aPod, aRecord } from '../support/builders.js';
import { readDocument } from '../support/documents.js';

const origin = (image: string, state: 'Available' | 'NotFound' = 'Available') => ({ reference: image, role: 'origin', state }) as const;
const copyOf = (name: string): string => `registry.example.com/mirror/library/${name}`;

const records = [
  aRecord({ image: 'nginx:1', pods: 2, places: [origin('nginx:1'), aCopy(copyOf('nginx:1'))] }),
  aRecord({ image: 'gone:1', pods: 1, places: [origin('gone:1', 'NotFound')] }),
  aRecord({ image: 'old:1', pods: 0, unusedSince: '2026-11-20T00:00:00Z', expiresAt: '2026-12-20T00:00:00Z', places: [origin('old:1'), aCopy(copyOf('old:1'))] }),
];

function usage(): UsageView {
  const view = new UsageView({ v1ProxyPort: 0 });
  const pods = [
    aPod({ name: 'web-1', images: { web: 'nginx:1' }, labels: { app: 'web' } }),
    aPod({ name: 'web-2', images: { web: copyOf('nginx:1') } }),
    aPod({ name: 'lost', namespace: 'other', images: { web: 'gone:1' } }),
  ];
  for (const pod of pods) view.apply({ type: 'put', key: pod.key, object: pod });
  return view;
}

type Choice = Partial<ImagesOptions>;
const chosen = (choice: Choice) => chosenImages(records, usage(), choice);

describe('kuik images', () => {
  test.each<[string, Choice, string[], boolean]>([
    ['lists all by name, and says that one can be pulled from nowhere', {}, ['gone:1', 'nginx:1', 'old:1'], false],
    ['of one namespace lists what its Pods use', { namespace: 'shop' }, ['nginx:1'], true],
    ['of labels lists what those Pods use', { selector: 'app=web' }, ['nginx:1'], true],
    ['--unavailable lists images without an origin, which is bad', { unavailable: true }, ['gone:1'], false],
    ['--unused lists images nobody uses, which is fine', { unused: true }, ['old:1'], true],
    ['--unmirrored lists images in use without a copy, which is bad', { unmirrored: true }, ['gone:1'], false],
    ['--unmirrored of a namespace that has none is fine', { unmirrored: true, namespace: 'shop' }, [], true],
    ['--drifted lists nothing here', { drifted: true }, [], true],
  ])('%s', (_sentence, choice, names, isWell) => {
    const listed = chosen(choice);

    expect(listed.map(({ record }) => record.image)).toEqual(names.map((name) => `docker.io/library/${name}`));
    expect(areWell(listed, choice)).toBe(isWell);
  });

  test('names the Pods that use an image, those that run from its copy included', () => {
    const [listed] = chosen({ namespace: 'shop' });

    expect(rowOf(listed!, 'table')).toEqual(['docker.io/library/nginx:1', 'yes', '1/1', '2', 'shop/web-1, shop/web-2', '']);
  });

  test('says when an unused image goes', () => {
    const [listed] = chosen({ unused: true });

    expect(rowOf(listed!, 'wide').slice(4, 7)).toEqual(['', 'unused, goes at 2026-12-20T00:00:00Z', '2026-12-20T00:00:00Z']);
  });

  test('prints data as its schema says', () => {
    readDocument('ImageList', JSON.stringify(imageList(chosen({}))));
  });
});
