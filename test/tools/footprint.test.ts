import { expect, test } from '@jest/globals';
import { componentOf, footprints, type Usage } from '../../tools/e2e/footprint.js';

test.each([
  ['kube-image-keeper-manager-776bf9597-p62nf', 'manager'],
  ['kube-image-keeper-temporal-ui-bf64f6d9d-pkdt6', 'temporal-ui'],
  ['kube-image-keeper-temporal-0', 'temporal'],
  ['kube-image-keeper-webhook-5c794d996c-9ts4f', 'webhook'],
])('Pod %s is a Pod of %s', (pod, component) => {
  expect(componentOf(pod)).toBe(component);
});

const used = (memory: number, cpuSeconds: number, at: number): Usage => ({ component: 'webhook', workingSetBytes: memory << 20, rssBytes: (memory - 10) << 20, cpuNanoseconds: cpuSeconds * 1e9, at });

test('of two replicas the larger and the busier speak for both; processor time is per second between two looks', () => {
  const before = new Map([['a', used(80, 10, 0)], ['b', used(80, 10, 0)]]);
  const after = new Map([['a', used(90, 10.3, 60_000)], ['b', used(85, 10.6, 60_000)]]);

  expect(footprints(before, after)).toEqual([{ component: 'webhook', replicas: 2, workingSetMiB: 90, rssMiB: 80, cpuMillicores: 10 }]);
});

test('a Pod that was not there a minute ago is no Pod at rest', () => {
  expect(() => footprints(new Map(), new Map([['a', used(80, 10, 0)]]))).toThrow('Pod a is new');
});
