import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { contentOf, createPod, push, until, untilMirrored } from '../support/stage.js';

const mirroredAt = '2026-10-01T10:00:00Z';
const unusedSince = '2026-11-01T00:00:00Z';

const copied = ['web:1.0', 'web:0.9', 'web:0.8'];
const digests = new Map<string, string>();

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('from-v2') });
  await stage.kuik.stop();
  for (const name of copied) digests.set(name, await push(stage, name));
});
afterAll(() => stage?.close());

/** What v2 leaves behind: copies, and a status that tells of them. */
async function leaveAsV2(): Promise<void> {
  for (const name of copied) await stage.crane('copy', stage.image(name), stage.copyOf(name));
  const spec = { imageFilter: { include: [`${stage.sourceAddress}/.+`] }, cleanup: { enabled: true, retention: '8760h' }, mirrors: [{ registry: stage.mirror.address, path: '/kept' }] };
  await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'everything' }, spec }));
  const listed = (name: string, rest: object) => ({ image: stage.image(name), ...rest, mirrors: [{ image: stage.copyOf(name), mirroredAt }] });
  await status('cism', 'everything', { matchingImages: [listed('web:1.0', {}), listed('web:0.9', { unusedSince }), listed('web:0.8', { unusedSince })] });
  const old = { image: 'registry.invalid/old:1', status: 'Available', lastMonitor: mirroredAt, unusedSince };
  await leaveTracked('everything', [{ image: 'registry.invalid/lost:1', status: 'NotFound', lastMonitor: mirroredAt }, old, { ...old, image: stage.image('web:0.8') }]);
  await leaveTracked('nightly', [old]);
}

/** By a rule that is suspended, so that nothing is checked anew. */
async function leaveTracked(name: string, images: readonly object[]): Promise<void> {
  await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetAvailability', metadata: { name }, spec: { imageFilter: { include: ['.+'] }, suspend: true } }));
  await status('cisa', name, { imageCount: images.length, images });
}

async function status(kind: string, name: string, value: object): Promise<void> {
  await stage.kubectl('patch', kind, name, '--subresource=status', '--type=merge', '--field-manager=kuik-webhook', '-p', JSON.stringify({ status: value }));
}

interface Seen {
  readonly spec: { readonly image: string };
  readonly status?: { readonly unusedSince?: string; readonly trackedBy?: readonly string[]; readonly expiresAt?: string; readonly places?: readonly { readonly reference: string; readonly role?: string; readonly state?: string; readonly digest?: string; readonly mirroredAt?: string; readonly workflowId?: string }[] };
}

async function recordOf(image: string): Promise<Seen | undefined> {
  const { items } = await stage.read<{ items: Seen[] }>('/apis/kuik.enix.io/v1alpha1/imageavailabilities');
  return items.find(({ spec }) => spec.image === image);
}

test('after an upgrade every copy v2 made is known and kept, used or not, and nothing is uploaded again', async () => {
  await leaveAsV2();
  await createPod(stage, 'first', stage.image('web:1.0'));
  await createPod(stage, 'lost', 'registry.invalid/lost:1');
  const before = await contentOf(stage.mirror);

  await stage.kuik.start();

  await untilMirrored(stage, stage.image('web:1.0'));
  await until('a keeper for the copy in use', async () => mirrorOf(await recordOf(stage.image('web:1.0')))?.digest !== undefined);
  await until('a keeper for the unused copy', async () => mirrorOf(await recordOf(stage.image('web:0.9')))?.digest !== undefined);
  await until('the clock of the unused copy', async () => (await recordOf(stage.image('web:0.9')))?.status?.expiresAt !== undefined);
  expect(await recordOf(stage.image('web:0.9'))).toMatchObject({ status: { unusedSince: expect.stringMatching(/^2026-11-01T00:00:00/), expiresAt: expect.stringMatching(/^2027-11-01T00:00:00/) } });
  expect(mirrorOf(await recordOf(stage.image('web:1.0')))).toMatchObject({ mirroredAt: expect.any(String), workflowId: expect.any(String) });
  expect(await contentOf(stage.mirror)).toEqual(before);
}, 180_000);

test('what v2 last found out about an image stands', async () => {
  expect((await recordOf('registry.invalid/lost:1'))?.status?.places).toMatchObject([{ role: 'origin', state: 'NotFound' }]);
});

test('an image that v2 tracked although nobody used it stays tracked', async () => {
  const listed = (name: string): Promise<string> => stage.kubectl('get', 'cisa', name, '-o', 'jsonpath={.status.images[*].image} {.status.counts.unused}');
  await until('each set to list its own', async () => (await listed('everything')) === `${stage.image('web:0.8')} registry.invalid/old:1 2` && (await listed('nightly')) === 'registry.invalid/old:1 1');
  const kept = { unusedSince: expect.stringMatching(/^2026-11-01T00:00:00/) as unknown, trackedBy: ['everything', 'nightly'] };
  expect(await recordOf('registry.invalid/old:1')).toMatchObject({ status: kept });

  const digest = digests.get('web:0.8');
  await until('a keeper for its copy', async () => mirrorOf(await recordOf(stage.image('web:0.8')))?.digest === digest);
  const mirrored = await recordOf(stage.image('web:0.8'));
  expect(mirrored).toMatchObject({ status: { ...kept, trackedBy: ['everything'] } });
  expect(mirrorOf(mirrored)).toMatchObject({ reference: stage.copyOf('web:0.8'), digest, mirroredAt: expect.any(String), workflowId: expect.stringMatching(/^keep\/|^task\//) });
});

test('the status is ours from then on', async () => {
  const conditions = await stage.kubectl('get', 'cism', 'everything', '-o', 'jsonpath={.status.counts.images} {.status.conditions[?(@.type=="Ready")].status}');

  expect(conditions).toBe('3 True');
});

function mirrorOf(record: Seen | undefined) {
  return record?.status?.places?.find(({ role }) => role === 'mirror');
}
