import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { imageName, knownImageRef, placeIdentity, type PlaceId } from '../../src/domain/image-ref.js';
import type { KeeperStatus } from '../../src/domain/keeper-story.js';
import { createKeeperClient, type KeeperClient } from '../../src/temporal/client.js';
import type { RegistryServer } from '../../tools/servers.js';
import { writeImageLayout } from '../../tools/image.js';
import type { LayerSpec } from '../../tools/image.js';
import { example } from '../../tools/demo/stage.js';
import type { Stage } from '../../tools/demo/stage.js';
import { until } from '../../tools/demo/story.js';
import { aClaim } from './keeper.js';

export { until };

/** What a test sees of a Pod. */
export interface SeenPod {
  readonly image: string;
  readonly reason: string;
}

/** Asks for a mirror of everything, as the quickstart does. @param registry where it is kept; the stage's own unless told */
export async function applyQuickstart(stage: Stage, registry = stage.mirror.address): Promise<void> {
  await stage.apply((await example('quickstart.yaml')).replaceAll('mirror.example.com', registry));
}

/** Pushes an image for two platforms to `source`. @returns its digest */
export async function push(stage: Stage, name: string, layers: readonly LayerSpec[] = [{ seed: `${name}-{platform}`, size: 1 << 20 }]): Promise<string> {
  const layout = join(stage.dir, `layout-${name.replace(':', '-')}`);
  const digest = await writeImageLayout(layout, { name, platforms: ['linux/amd64', 'linux/arm64'], layers });
  await stage.crane('push', layout, stage.image(name));
  return digest;
}

/** Creates a Pod and reads what became of it; throws when it is refused. */
export async function createPod(stage: Stage, name: string, image: string): Promise<SeenPod> {
  await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'web', image }] } }));
  const pod = await stage.read<{ metadata: { annotations?: Record<string, string> }; spec: { containers: { image: string }[] } }>(`/api/v1/namespaces/default/pods/${name}`);
  const reasons = JSON.parse(pod.metadata.annotations?.['kuik.enix.io/reason'] ?? '{}') as Record<string, string>;
  return { image: pod.spec.containers[0]?.image ?? '', reason: reasons['web'] ?? '' };
}

/** A record, as the API server has it. */
export interface SeenRecord {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly image: string };
  readonly status?: { readonly mirrors?: string; readonly places?: readonly { readonly reference?: string; readonly strategy?: string; readonly role?: string; readonly mirroredAt?: string; readonly failure?: { readonly code: string; readonly message: string } }[] };
}

export async function recordsOf(stage: Stage): Promise<readonly SeenRecord[]> {
  return (await stage.read<{ items: SeenRecord[] }>('/apis/kuik.enix.io/v1alpha1/imageavailabilities')).items;
}

/** Object name of the record of an image, once there is one. */
export async function recordOf(stage: Stage, image: string): Promise<{ readonly name: string; readonly mirrors: string; readonly failure?: { readonly code: string; readonly message: string } } | undefined> {
  const items = await recordsOf(stage);
  const record = items.find(({ spec }) => spec.image === image);
  return record && { name: record.metadata.name, mirrors: record.status?.mirrors ?? '', failure: record.status?.places?.find(({ role }) => role === 'mirror')?.failure };
}

/** Every platform that `push` makes: so a copy keeps its digest, wherever it lies. */
const bothPlatforms = [{ os: 'linux', architecture: 'amd64' }, { os: 'linux', architecture: 'arm64' }];

/** Applies a rule that mirrors what `image` matches to `/kept` of the stage's mirror, and waits until kuik has seen it. */
export async function applyMirrorRule(stage: Stage, name: string, { image = '.+', annotations = {}, ...spec }: SomeRule = {}): Promise<void> {
  const mirrors = [{ registry: stage.mirror.address, path: '/kept', platforms: bothPlatforms }];
  const rule = { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name, annotations }, spec: { filter: { include: [{ image }] }, mirrors, ...spec } };
  await stage.apply(JSON.stringify(rule));
  const path = `/apis/kuik.enix.io/v1alpha1/clusterimagesetmirrors/${name}`;
  await until(`rule ${name} to be seen`, async () => (await stage.read<{ status?: { conditions?: unknown } }>(path)).status?.conditions !== undefined);
}

export interface SomeRule {
  /** pattern; everything unless told */
  readonly image?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** further fields of its spec */
  readonly [field: string]: unknown;
}

/** Tells the claim a test makes on behalf of kuik from kuik's own. */
const notOurs = 'of-a-test';

/**
 * Starts the keeper of `/kept/library/NAME` with a pace of its own, before kuik would do it and on behalf of kuik: ten
 * minutes last 0.6 s, a day 86 s. kuik's own claim is newer, and counts from then on.
 *
 * @param rule whose credentials it copies with
 * @param image what it copies
 */
export async function startFastKeeper(stage: Stage, name: string, rule: string, image = stage.image(name)): Promise<{ readonly keepers: KeeperClient; readonly destination: PlaceId }> {
  const cluster = await stage.kubectl('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}');
  const { address, namespace } = stage.temporal.running;
  const keepers = createKeeperClient({ endpoint: { address, namespace }, searchable: () => true, pace: 0.001, deadlineMs: 20_000 });
  const [from, to] = [knownImageRef(image), knownImageRef(stage.copyOf(name))];
  const destination = placeIdentity(to);
  const rules = [rule, notOurs].map((name) => ({ kind: 'ClusterImageSetMirror', name, uid: 'whichever it has' }) as const);
  await keepers.claim(aClaim({ cluster, generation: 0, destination, publishAs: imageName(to), image: imageName(from), rules, sources: [imageName(from)], platforms: bothPlatforms, cleanup: false }));
  return { keepers, destination };
}

/** Whether kuik itself has claimed a copy for a rule. */
export function isClaimedFor({ claims }: KeeperStatus, rule: string): boolean {
  return claims.some(({ rules }) => rules.includes(`ClusterImageSetMirror/${rule}`) && !rules.includes(`ClusterImageSetMirror/${notOurs}`));
}

/** Has an image copied to `/kept` for a new Pod, by a fast keeper, and waits until kuik itself has claimed the copy for a rule. */
export async function mirrorFast(stage: Stage, name: string, rule: string): Promise<void> {
  await push(stage, name);
  const { keepers, destination } = await startFastKeeper(stage, name, rule);
  await createPod(stage, podFor(name), stage.image(name));
  await until(`the copy of ${name} for ${rule}`, async () => {
    const status = await keepers.status(destination);
    return status !== 'absent' && status.phase === 'Mirrored' && isClaimedFor(status, rule);
  });
  // the copy may be older than the record: the keeper tells it once more
  await keepers.resync(destination);
  const knows = async (): Promise<boolean> => (await recordsOf(stage)).some(({ spec, status }) => spec.image === stage.image(name) && status?.places?.some(({ mirroredAt }) => mirroredAt !== undefined) === true);
  await until(`the record of ${name} to know`, knows);
  await keepers.close();
}

/** Name of the Pod that is made for an image. */
export function podFor(name: string): string {
  return name.replace(/[:.]/g, '-');
}

/** Waits until the record says that its one mirror holds a verified copy. */
export async function untilMirrored(stage: Stage, image: string): Promise<void> {
  await until(`${image} to be mirrored`, async () => (await recordOf(stage, image))?.mirrors === '1/1');
}

const manifestTypes = ['application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json', 'application/vnd.docker.distribution.manifest.v2+json'].join();

/** Whether a registry knows a tag, asked without a client of ours: whoever waits asks again and again, and a process of another tool costs more than the answer. */
export async function tagIsThere(reference: string): Promise<boolean> {
  const { host, path, tag = 'latest' } = knownImageRef(reference);
  const { statusCode, body } = await request(`http://${host}/v2/${path}/manifests/${tag}`, { method: 'HEAD', headers: { accept: manifestTypes }, reset: true, signal: AbortSignal.timeout(30_000) });
  await body.dump();
  if (statusCode !== 200 && statusCode !== 404) throw new Error(`HEAD ${reference}: ${statusCode}`);
  return statusCode === 200;
}

/**
 * The content a registry stores (none before the first push), by path, with what changes when it is written again: a second upload of a blob moves
 * another file into its place.
 */
export async function contentOf({ dir }: RegistryServer): Promise<ReadonlyMap<string, string>> {
  const root = join(dir, 'images', 'docker', 'registry', 'v2', 'blobs');
  const all = existsSync(root) ? await readdir(root, { recursive: true }) : [];
  const files = all.filter((file) => file.endsWith('/data'));
  const found = await Promise.all(files.map(async (file) => [file, await stat(join(root, file))] as const));
  return new Map(found.map(([file, { ino, mtimeMs }]) => [file, `${ino} ${mtimeMs}`]));
}
