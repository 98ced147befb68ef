import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RetryResultList } from '../../src/commands/documents/requests.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder, toolOutput } from '../../tools/servers.js';
import { readDocument } from '../support/documents.js';
import { kuikOn, type Ended } from '../support/kuik.js';
import { createPod, podFor, push, recordOf, until } from '../support/stage.js';

/** One check in an hour, so that whatever is checked twice here was checked out of turn. */
const configuration = `
monitoring:
  registries:
    default:
      interval: 1h
      maxPerInterval: 1
`;
const many = Array.from({ length: 25 }, (_each, at) => `many-${at}:1.0`);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('checks'), configuration });
  await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetAvailability', metadata: { name: 'critical' }, spec: { filter: { include: [{ image: '.+' }] } } }));
}, 120_000);
afterAll(() => stage?.close());

const kuik = (...args: string[]): Promise<Ended> => kuikOn(stage, ...args);
const trackedBy = async (image: string): Promise<string> => stage.kubectl('get', 'ia', (await recordOf(stage, image))?.name ?? 'none', '-o', 'jsonpath={.status.trackedBy}').catch(() => '');

/** A Pod of an image that no rule mirrors, and one monitors. */
async function trackedImage(name: string): Promise<string> {
  await createPod(stage, podFor(name), stage.image(name));
  await until(`${name} to be tracked`, async () => (await trackedBy(stage.image(name))).includes('critical'));
  return stage.image(name);
}

test('kuik retry has an image that is only monitored checked before its turn, and tells what was found', async () => {
  const image = await trackedImage('web:1.0');

  const gone = await kuik('retry', image, '--timeout', '60s');
  expect(gone).toMatchObject({ errors: '', output: expect.stringMatching(/^IMAGE +CHECK +WHY\n.*web:1.0 +unavailable +NotFound: not found on .*; check the name and the tag, or push it again\n$/), code: 2 });

  await push(stage, 'web:1.0');
  const back = await kuik('retry', image, '--timeout', '60s', '-o', 'json');
  const { items, checks } = readDocument<RetryResultList>('RetryResultList', back.output);
  expect({ items, checks }).toEqual({ items: [], checks: [expect.objectContaining({ image, result: 'available', state: 'Available', digest: expect.stringMatching(/^sha256:/) })] });
  expect(back.code).toBe(0);
});

test('and kuik mirror refuses it: nothing is to be copied', async () => {
  const { code, errors, output } = await kuik('mirror', stage.image('web:1.0'));

  expect(errors).toMatch(/^kuik mirror: .*web:1.0: no rule mirrors it, it is only monitored; check spec.filter .*kuik retry /);
  expect([code, output]).toEqual([1, '']);
});

test('many are all checked, whether they are named or --failed chooses them', async () => {
  await Promise.all(many.map(trackedImage));
  const named = await kuik('retry', ...many.map((name) => stage.image(name)), '--timeout', '120s', '-o', 'json');
  expect(readDocument<RetryResultList>('RetryResultList', named.output).checks.map(({ result }) => result)).toEqual(many.map(() => 'unavailable'));
  expect(named.code).toBe(2);

  for (const name of many) await stage.crane('copy', stage.image('web:1.0'), stage.image(name));
  const failed = await kuik('retry', '--failed', '--registry', stage.sourceAddress, '--timeout', '120s', '-o', 'json');

  expect(readDocument<RetryResultList>('RetryResultList', failed.output).checks.map(({ result }) => result)).toEqual(many.map(() => 'available'));
  expect(failed.code).toBe(0);
  expect(await kuik('retry', '--failed')).toMatchObject({ code: 0, output: '', errors: 'kuik retry: no copy of an image in use has failed, and no image that is only monitored\n' });
}, 300_000);

test('a monitor that somebody terminated is started again for it', async () => {
  const { address, namespace } = stage.temporal.running;
  const cluster = await stage.kubectl('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}');
  await toolOutput('temporal', ['workflow', 'terminate', '--address', address, '--namespace', namespace, '--workflow-id', `monitor/${cluster}/${stage.sourceAddress}`]);

  expect(await kuik('retry', stage.image('web:1.0'), '--timeout', '60s')).toMatchObject({ code: 0, output: expect.stringMatching(/web:1.0 +available +sha256:/) });
});

test('an image that nobody uses any more is checked as long as it is monitored', async () => {
  await stage.kubectl('delete', 'pod', 'web-1-0', '--now');
  await until('the record to say so', async () => (await stage.kubectl('get', 'ia', (await recordOf(stage, stage.image('web:1.0')))!.name, '-o', 'jsonpath={.status.pods}')) === '0');

  expect(await kuik('retry', stage.image('web:1.0'), '--timeout', '60s')).toMatchObject({ code: 0, output: expect.stringMatching(/web:1.0 +available/) });
});

test('while the rule is suspended nobody waits for a check that does not come', async () => {
  expect((await kuik('pause', 'cisa/critical')).code).toBe(0);

  expect(await kuik('retry', stage.image('web:1.0'))).toMatchObject({ code: 1, output: '', errors: expect.stringMatching(/^kuik retry: .*web:1.0: what monitors it is suspended .*kuik resume cisa\/critical/) });
});
