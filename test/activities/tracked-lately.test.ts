import { expect, test } from '@jest/globals';
import { TrackedLately } from '../../src/activities/tracked-lately.js';
import { imageName, knownImageRef } from '../../src/domain/image-ref.js';
import type { TrackedImage } from '../../src/domain/monitor.js';

const t0 = Date.parse('2026-11-20T12:00:00Z');
const hosts = Array.from({ length: 100 }, (_, at) => `registry-${at}.corp`);

function tracked(name: string): TrackedImage {
  const ref = knownImageRef(name);
  return { image: imageName(ref), ref, by: ['main'], isChecked: true, original: true, records: [imageName(ref)] };
}

test('one look serves the goes of all registries for a few seconds, and each is told what lies there', () => {
  let looks = 0;
  const lately = new TrackedLately(() => (looks++, hosts.map((host) => tracked(`${host}/app:1`))), 5_000);

  for (let second = 0; second < 60; second++) for (const host of hosts) expect(lately.at(host, t0 + second * 1_000).map(({ image }) => image)).toEqual([`${host}/app:1`]);

  expect(looks).toBe(12);
  expect(lately.at('elsewhere.corp', t0 + 59_000)).toEqual([]);
});

test.each([
  ['a few seconds later', 5_000, 'new'],
  ['not before', 4_999, 'old'],
  ['when a clock was set back', -3_600_000, 'new'],
])('what comes is told %s', (_sentence, laterMs, expected) => {
  let tag = 'old';
  const lately = new TrackedLately(() => [tracked(`registry.corp/app:${tag}`)], 5_000);
  lately.at('registry.corp', t0);
  tag = 'new';

  expect(lately.at('registry.corp', t0 + laterMs)[0]?.ref.tag).toBe(expected);
});

test('a look that comes to nothing is not taken for nothing tracked: the next one looks again', () => {
  let fails = true;
  const lately = new TrackedLately(() => {
    if (fails) throw new Error('the views are not there');
    return [tracked('registry.corp/app:1')];
  }, 5_000);
  expect(() => lately.at('registry.corp', t0)).toThrow('the views are not there');
  fails = false;

  expect(lately.at('registry.corp', t0 + 1)).toHaveLength(1);
});
