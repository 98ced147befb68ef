import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder, startRegistry, type RegistryServer } from '../../tools/servers.js';
import { startRelay, type Relay } from '../support/relay.js';
import { contentOf, createPod, push, until, untilMirrored } from '../support/stage.js';

/** A registry of the strict kind wants every manifest of an index; the other takes one as it is. */
const strategies = ['rewrite', 'sparse'] as const;
type Strategy = (typeof strategies)[number];

let stage: Stage;
let lenient: RegistryServer;
let relays: Readonly<Record<Strategy, Relay>>;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('platforms') });
  lenient = await startRegistry({ name: 'lenient', indexes: 'sparse' });
  relays = { rewrite: await startRelay(stage.mirror.address), sparse: await startRelay(lenient.address) };
}, 120_000);
afterAll(async () => {
  await Promise.all(Object.values(relays ?? {}).map((relay) => relay.close()));
  await lenient?.stop();
  await stage?.close();
});

const registryOf = (copy: Strategy): RegistryServer => (copy === 'sparse' ? lenient : stage.mirror);

const layerBytes = 1 << 20;

async function wantPlatforms(copy: Strategy, ...architectures: string[]): Promise<void> {
  const mirrors = [{ registry: relays[copy].address, path: `/${copy}`, copy, platforms: architectures.map((architecture) => ({ os: 'linux', architecture })) }];
  await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: copy }, spec: { filter: { include: [{ image: `.+/${copy}:.+` }] }, mirrors } }));
}

/** What `kubectl get ia -o wide` prints below PLATFORMS and MISSING, the last two columns. */
async function columns(image: string): Promise<string> {
  const [head = '', ...rows] = (await stage.kubectl('get', 'ia', '-o', 'wide')).split('\n');
  const row = rows.find((text) => text.includes(` ${image} `)) ?? '';
  return row.slice(head.indexOf('PLATFORMS')).trim().replace(/ +/g, ' ');
}

/** How the record says it was copied. */
async function strategyOf(image: string): Promise<string> {
  const { items } = await stage.read<{ items: { spec: { image: string }; status?: { places?: { role?: string; strategy?: string }[] } }[] }>('/apis/kuik.enix.io/v1alpha1/imageavailabilities');
  return items.find(({ spec }) => spec.image === image)?.status?.places?.find(({ role }) => role === 'mirror')?.strategy ?? '';
}

async function complete(rule: string): Promise<string> {
  return stage.kubectl('get', 'cism', rule, '-o', 'jsonpath={range .status.conditions[?(@.type=="PlatformsComplete")]}{.status} {.reason} {.message}{end}');
}

test.each(strategies)('another platform is added to a copy that is there, with copy: %s, and nothing that was there is sent again', async (copy) => {
  const [mirror, registry] = [relays[copy], registryOf(copy)];
  const published = `${registry.address}/${copy}/library/${copy}:1.0`;
  const digest = await push(stage, `${copy}:1.0`);
  const image = stage.image(`${copy}:1.0`);
  await wantPlatforms(copy, 'amd64');
  await createPod(stage, copy, image);
  await untilMirrored(stage, image);
  await until('the column to say amd64', async () => (await columns(image)) === 'linux/amd64');
  expect(await strategyOf(image)).toBe(copy);
  const before = await contentOf(registry);
  const sent = mirror.sent();
  await push(stage, `${copy}:1.0`, [{ seed: `${copy}-moved-{platform}`, size: layerBytes }]); // no reason to follow the tag

  await wantPlatforms(copy, 'amd64', 'arm64');
  await until('arm64 to be added', async () => (await columns(image)) === 'linux/amd64,linux/arm64');

  const after = await contentOf(registry);
  const added = [...after.keys()].filter((blob) => !before.has(blob));
  expect(new Map([...before].filter(([blob, state]) => after.get(blob) !== state))).toEqual(new Map());
  expect(added).toHaveLength(copy === 'sparse' ? 3 : 4); // a layer, a config and a manifest; an index, too, where that is made anew
  if (copy === 'sparse') expect(await stage.crane('digest', published)).toBe(digest);
  expect(mirror.sent() - sent).toBeGreaterThan(layerBytes);
  expect(mirror.sent() - sent).toBeLessThan(1.5 * layerBytes);
  await until('PlatformsComplete', async () => (await complete(copy)).startsWith('True Complete'));
  await stage.crane('validate', '--remote', published, '--platform', 'linux/arm64');

  await wantPlatforms(copy, 'amd64', 'arm64', 's390x');
  await until('s390x to be missed', async () => (await columns(image)) === 'linux/amd64,linux/arm64 linux/s390x');
  await until('PlatformsComplete=False', async () => (await complete(copy)).startsWith(`False PlatformsMissing 1 of 1 images lack a wanted platform: ${image}`));
  expect(await contentOf(registry)).toEqual(after);

  await wantPlatforms(copy, 'amd64', 'arm64');
  await until('nothing to be missed any more', async () => (await columns(image)) === 'linux/amd64,linux/arm64');
  await until('PlatformsComplete again', async () => (await complete(copy)).startsWith('True Complete'));
}, 240_000);
