import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { startRelay, type Relay } from '../support/relay.js';
import { contentOf, createPod, push, until, untilMirrored } from '../support/stage.js';

let stage: Stage;
let mirror: Relay;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('platforms') });
  mirror = await startRelay(stage.mirror.address);
}, 120_000);
afterAll(async () => {
  await mirror?.close();
  await stage?.close();
});

const layerBytes = 1 << 20;

async function wantPlatforms(copy: string, ...architectures: string[]): Promise<void> {
  const mirrors = [{ registry: mirror.address, path: `/${copy}`, copy, platforms: architectures.map((architecture) => ({ os: 'linux', architecture })) }];
  await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: copy }, spec: { filter: { include: [{ image: `.+/${copy}:.+` }] }, mirrors } }));
}

/** What `kubectl get ia -o wide` prints below PLATFORMS and MISSING, the last two columns. */
async function columns(image: string): Promise<string> {
  const [head = '', ...rows] = (await stage.kubectl('get', 'ia', '-o', 'wide')).split('\n');
  const row = rows.find((text) => text.includes(` ${image} `)) ?? '';
  return row.slice(head.indexOf('PLATFORMS')).trim().replace(/ +/g, ' ');
}

async function complete(rule: string): Promise<string> {
  return stage.kubectl('get', 'cism', rule, '-o', 'jsonpath={range .status.conditions[?(@.type=="PlatformsComplete")]}{.status} {.reason} {.message}{end}');
}

test('another platform is added to a copy that is there, and nothing that was there is sent again', async () => {
  const copy = 'rewrite'; // a registry that wants every manifest of an index takes no other kind of part of one
  await push(stage, `${copy}:1.0`);
  const image = stage.image(`${copy}:1.0`);
  await wantPlatforms(copy, 'amd64');
  await createPod(stage, copy, image);
  await untilMirrored(stage, image);
  await until('the column to say amd64', async () => (await columns(image)) === 'linux/amd64');
  const before = await contentOf(stage.mirror);
  const sent = mirror.sent();

  await wantPlatforms(copy, 'amd64', 'arm64');
  await until('arm64 to be added', async () => (await columns(image)) === 'linux/amd64,linux/arm64');

  const after = await contentOf(stage.mirror);
  const added = [...after.keys()].filter((blob) => !before.has(blob));
  expect(new Map([...before].filter(([blob, state]) => after.get(blob) !== state))).toEqual(new Map());
  expect(added.length).toBeGreaterThanOrEqual(3); // a layer, a config and a manifest; an index, too, where that is made anew
  expect(added.length).toBeLessThanOrEqual(4);
  expect(mirror.sent() - sent).toBeGreaterThan(layerBytes);
  expect(mirror.sent() - sent).toBeLessThan(1.5 * layerBytes);
  await until('PlatformsComplete', async () => (await complete(copy)).startsWith('True Complete'));
  await stage.crane('validate', '--remote', `${stage.mirror.address}/${copy}/library/${copy}:1.0`, '--platform', 'linux/arm64');

  await wantPlatforms(copy, 'amd64', 'arm64', 's390x');
  await until('s390x to be missed', async () => (await columns(image)) === 'linux/amd64,linux/arm64 linux/s390x');
  await until('PlatformsComplete=False', async () => (await complete(copy)).startsWith(`False PlatformsMissing 1 of 1 images lack a wanted platform: ${image}`));
  expect(await contentOf(stage.mirror)).toEqual(after);

  await wantPlatforms(copy, 'amd64', 'arm64');
  await until('nothing to be missed any more', async () => (await columns(image)) === 'linux/amd64,linux/arm64');
  await until('PlatformsComplete again', async () => (await complete(copy)).startsWith('True Complete'));
}, 240_000);
