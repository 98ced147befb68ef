/**
 * The main job, told step by step on real servers. The demo prints it; `test/e2e/story.test.ts` runs the same
 * steps as tests. A step that does not happen throws, with what was seen instead.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeImageLayout } from '../image.js';
import { followCopy } from './progress.js';
import { example } from './stage.js';
import type { Stage } from './stage.js';

export interface Step {
  readonly title: string;
  /** what happened, told in lines; throws when it did not */
  play(stage: Stage, say: (line: string) => void): Promise<void>;
}

export const story: readonly Step[] = [
  { title: 'push an image for linux/amd64 and linux/arm64 to "source"', play: pushImage },
  { title: 'ask for a mirror of every image', play: applyMirror },
  { title: 'create a Pod: it keeps its own image, nothing else has it yet', play: (stage, say) => createPod(stage, say, 'first', stage.image(), ['PreferredUnavailable', 'OriginAvailable']) },
  { title: 'watch the copy', play: watchCopy },
  { title: 'stop "source": the registry is gone', play: stopSource },
  { title: 'create a second Pod: it is sent to the mirror', play: secondPod },
  { title: 'pull from the mirror with another tool and compare digests', play: compareDigests },
  { title: 'start "source" again and create a third Pod: original image', play: thirdPod },
];

async function pushImage(stage: Stage, say: (line: string) => void): Promise<void> {
  const layout = join(stage.dir, 'image');
  const digest = await writeImageLayout(layout, {
    name: 'web',
    platforms: ['linux/amd64', 'linux/arm64'],
    layers: [
      { seed: 'base-{platform}', size: 24 << 20 },
      { seed: 'runtime-{platform}', size: 8 << 20 },
      { seed: 'assets', size: 4 << 20 },
    ],
  });
  await stage.crane('push', layout, stage.image());
  stage.notes.set('digest at the source', (await stage.crane('digest', stage.image())).trim());
  say(`${stage.image()}  ${digest.slice(0, 19)}  2 platforms, 3 layers each`);
}

async function applyMirror(stage: Stage, say: (line: string) => void): Promise<void> {
  const manifest = await example('quickstart.yaml');
  say((await stage.apply(manifest.replaceAll('mirror.example.com', stage.mirror.address))).trim());
  await until('the rule to be Ready', async () => (await stage.kubectl('get', 'cism', 'everything', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === 'True');
  say(indent(await stage.kubectl('get', 'cism', 'everything')));
}

async function createPod(stage: Stage, say: (line: string) => void, name: string, image: string, reasons: readonly string[]): Promise<void> {
  await stage.apply(podManifest(name, stage.image()));
  const pod = await readPod(stage, name);
  expectEqual(`image of Pod ${name}`, pod.image, image);
  const reason = pod.annotations['kuik.enix.io/reason'] ?? '';
  if (!reasons.some((known) => reason.includes(known))) throw new Error(`reason of Pod ${name} is ${reason || 'absent'}; expected one of ${reasons.join(', ')}`);
  say(`Pod ${name} pulls ${pod.image}`);
  for (const [key, value] of Object.entries(pod.annotations)) if (key.startsWith('kuik.enix.io/')) say(`  ${key}: ${value}`);
}

async function watchCopy(stage: Stage, say: (line: string) => void): Promise<void> {
  const copy = await followCopy(stage.temporal.running.address, stage.copyOf());
  let last = '';
  await until('kubectl get ia to show AVAILABLE True and MIRRORS 1/1', async () => {
    const progress = await copy.read();
    if (progress !== undefined && progress !== last) say((last = progress));
    return /True +1\/1/.test(await stage.kubectl('get', 'ia'));
  }).finally(() => copy.close());
  say(indent(await stage.kubectl('get', 'ia')));
  if (stage.temporal.running.uiUrl !== undefined) say(`its history: ${stage.temporal.running.uiUrl}/namespaces/kuik/workflows/${encodeURIComponent(`task/${stage.copyOf()}`)}`);
}

async function stopSource(stage: Stage, say: (line: string) => void): Promise<void> {
  await stage.source.stop();
  say(`nothing listens at ${stage.sourceAddress} any more`);
}

async function secondPod(stage: Stage, say: (line: string) => void): Promise<void> {
  await sleep(1_500); // the stage lets facts live one second, instead of thirty
  await createPod(stage, say, 'second', stage.copyOf(), ['OriginUnavailable']);
  say(indent(await stage.kuik.running.explain('pod/second', '-n', 'default')));
}

async function compareDigests(stage: Stage, say: (line: string) => void): Promise<void> {
  const kept = (await stage.crane('digest', stage.copyOf())).trim();
  await stage.crane('pull', '--format', 'oci', stage.copyOf(), join(stage.dir, 'pulled'));
  await stage.crane('validate', '--remote', stage.copyOf());
  expectEqual('digest at the mirror', kept, stage.notes.get('digest at the source') ?? 'unknown');
  say(`${kept}  as it was at the source; every layer pulled and verified by crane`);
}

async function thirdPod(stage: Stage, say: (line: string) => void): Promise<void> {
  await stage.source.start();
  await until('the third Pod to keep its image', async () => {
    await stage.kubectl('delete', 'pod', 'third', '--ignore-not-found', '--force', '--grace-period=0');
    await stage.apply(podManifest('third', stage.image()));
    return (await readPod(stage, 'third')).image === stage.image();
  });
  say(`Pod third pulls ${stage.image()}`);
}

export function podManifest(name: string, image: string): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'web', image }] } });
}

interface SeenPod {
  readonly image: string;
  readonly annotations: Readonly<Record<string, string>>;
}

async function readPod(stage: Stage, name: string): Promise<SeenPod> {
  const pod = JSON.parse(await stage.kubectl('get', 'pod', name, '-n', 'default', '-o', 'json')) as {
    metadata: { annotations?: Record<string, string> };
    spec: { containers: { image: string }[] };
  };
  return { image: pod.spec.containers[0]?.image ?? '', annotations: pod.metadata.annotations ?? {} };
}

export function expectEqual(what: string, seen: string, expected: string): void {
  if (seen !== expected) throw new Error(`${what} is ${seen}; expected ${expected}`);
}

export function indent(text: string): string {
  return text.trimEnd().split('\n').map((line) => `  ${line}`).join('\n');
}

/** Polls until something holds; says what was waited for when it does not happen. */
export async function until(what: string, holds: () => Promise<boolean>, timeoutMs = 90_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await holds()) return;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
    await sleep(250);
  }
}
