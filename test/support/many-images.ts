/** Many small images at once: what bad days are played with. */
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { writeImageLayout } from '../../tools/image.js';
import type { Stage } from '../../tools/demo/stage.js';
import { until } from './stage.js';
import { walk } from './walk.js';

const layerBytes = 256 << 10;
/** bytes of one image: two platforms, a layer each, and a little */
export const imageBytes = 2 * layerBytes + 4_096;

/** Pushes images that share nothing. @returns their names and tags below `library/` */
export async function pushMany(stage: Stage, prefix: string, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}:1`);
  for (const name of names) {
    const layout = join(stage.dir, `layout-${name.replace(':', '-')}`);
    await writeImageLayout(layout, { name, platforms: ['linux/amd64', 'linux/arm64'], layers: [{ seed: `${name}-{platform}`, size: layerBytes }] });
    await stage.crane('push', layout, stage.image(name));
  }
  return names;
}

/** A Pod for each image, all in one request. @param first number of the first Pod: those of one number are one Pod */
export async function createPods(stage: Stage, images: readonly string[], first = 0): Promise<void> {
  const pod = (image: string, index: number): object => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `pod-${first + index}`, namespace: 'default' }, spec: { containers: [{ name: 'web', image }] } });
  await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: images.map(pod) }));
}

/** Waits until the record of each image says that its one mirror holds a verified copy. */
export async function untilAllMirrored(stage: Stage, images: readonly string[], timeoutMs = 480_000): Promise<void> {
  const missing = async (): Promise<readonly string[]> => {
    const { items } = await stage.read<{ items: { spec: { image: string }; status?: { mirrors?: string } }[] }>('/apis/kuik.enix.io/v1alpha1/imageavailabilities');
    const done = new Set(items.filter(({ status }) => status?.mirrors === '1/1').map(({ spec }) => spec.image));
    return images.filter((image) => !done.has(image));
  };
  let left: readonly string[] = images;
  await until(`${images.length} images to be mirrored`, async () => (left = await missing()).length === 0, timeoutMs).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : String(error)}; missing: ${left.join(', ')}`);
  });
}

/** Every copy is what its source is, byte by byte: walked without any code of ours. */
export async function expectWhole(stage: Stage, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const { path, tag } = partsOf(name);
    expect(await walk(`${stage.mirror.address}/kept/library/${path}`, tag)).toEqual(await walk(`${stage.sourceAddress}/library/${path}`, tag));
  }
}

/** What is visible is whole; what is not there yet is no harm. @returns how many are there */
export async function expectNothingHalfDone(stage: Stage, names: readonly string[]): Promise<number> {
  let there = 0;
  for (const name of names) {
    const { path, tag } = partsOf(name);
    const found = await walk(`${stage.mirror.address}/kept/library/${path}`, tag).catch((error: unknown) => {
      if (error instanceof Error && error.message === `${tag} is 404`) return undefined;
      throw error;
    });
    there += Number(found !== undefined);
  }
  return there;
}

function partsOf(name: string): { readonly path: string; readonly tag: string } {
  const [path = '', tag = ''] = name.split(':');
  return { path, tag };
}
