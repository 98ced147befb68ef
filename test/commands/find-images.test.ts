import { expect, test } from '@jest/globals';
import { withNextStep } from '../../src/commands/ask-cluster.js';
import { findImages, recordText } from '../../src/commands/find-images.js';
import { MemoryCluster } from '../../src/cluster/memory.js';
import { recordName } from '../../src/cluster/record-name.js';
import { nginx } from '../support/keeper.js';

const name = recordName(nginx);

async function aCluster(): Promise<MemoryCluster> {
  const cluster = new MemoryCluster();
  await cluster.applyUsage({ image: nginx, pods: 1, mirrors: '0/0', places: [], conditions: [] });
  return cluster;
}

test.each([
  ['as it stands in a Pod', 'nginx:1.27'],
  ['written out', nginx],
  ['by its record', `ia/${name}`],
  ['by what -o name prints', recordText({ name })],
])('an image is found %s', async (_how, text) => {
  expect((await findImages([text], await aCluster())).records.map(({ image }) => image)).toEqual([nginx]);
});

test('an image that is named twice is one', async () => {
  expect((await findImages(['nginx:1.27', nginx], await aCluster())).records).toHaveLength(1);
});

test.each([
  ['that kuik does not know', 'nginx:9', 'nginx:9 (docker.io/library/nginx:9): kuik has no record of it, since no Pod uses it and no copy of it is kept; it knows docker.io/library/nginx:1.27'],
  ['that is no reference', 'Nginx:', 'Nginx:: not an image reference; write it as in a Pod, nginx:1.27 or registry.example.com/team/api:v4, or as ia/NAME'],
  ['whose record does not exist', 'ia/nope', 'ia/nope: there is no such record; kubectl get ia lists them'],
])('an image %s is a problem that says what to do', async (_what, text, problem) => {
  expect(await findImages(['nginx:1.27', text], await aCluster())).toMatchObject({ problems: [problem] });
});

test.each([
  ['unreachable', /kubectl cluster-info/],
  ['unauthorized', /log in again/],
  ['missing', /is kuik installed/],
  ['denied', /^not allowed$/],
] as const)('an API server that answers %s is followed by the next step', (code, said) => {
  expect(withNextStep({ code, message: 'not allowed' })).toMatch(said);
});
