import { expect, test } from '@jest/globals';
import { knownImageRef, placeIdentity } from '../../src/domain/image-ref.js';
import { workloadKinds } from '../../src/domain/usage.js';
import { WorkloadsView } from '../../src/views/workloads.js';
import { aTemplate } from '../support/builders.js';

const nginx = placeIdentity(knownImageRef('nginx:1.27'));

test('workloads of several kinds may go by one name', () => {
  let changes = 0;
  const view = new WorkloadsView({ v1ProxyPort: 7439, onChange: () => (changes += 1) });
  const [deployment, job] = [aTemplate('Deployment', { name: 'web' }), aTemplate('Job', { name: 'web' })];
  view.apply('Deployment', { type: 'put', key: 'shop/web', object: deployment });
  view.apply('Job', { type: 'put', key: 'shop/web', object: job });
  expect([...view.pods()].map(({ workload }) => workload)).toEqual(['Deployment', 'Job']);

  view.apply('Job', { type: 'gone', key: 'shop/web' });
  expect([view.names(nginx), changes]).toEqual([true, 3]);
  view.apply('Deployment', { type: 'gone', key: 'shop/web' });
  expect(view.names(nginx)).toBe(false);
});

test('are complete once the first lists of all five kinds have arrived', () => {
  const view = new WorkloadsView({ v1ProxyPort: 7439 });
  for (const kind of workloadKinds) {
    expect(view.isSynced).toBe(false);
    view.apply(kind, { type: 'synced' });
  }
  expect(view.isSynced).toBe(true);
});
