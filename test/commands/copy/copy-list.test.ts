import { describe, expect, test } from '@jest/globals';
import { copyList } from '../../../src/commands/copy/copy-list.js';
import type { CopyTools } from '../../../src/commands/copy/copy-one.js';
import { readPair, type Pair } from '../../../src/commands/copy/list.js';
import { isCopied, type Outcome } from '../../../src/commands/copy/outcome.js';
import { ProgressBoard, sumUp, type Totals } from '../../../src/commands/copy/progress.js';
import { parsePlatform, type Platform } from '../../../src/domain/platform.js';
import { createCopyEngine } from '../../../src/registry/copy.js';
import { MemoryRegistry } from '../../../src/registry/memory.js';
import type { Identity } from '../../../src/registry/registry.js';
import { aMultiPlatformImage, pushImage } from '../../support/images.js';

const both = ['linux/amd64', 'linux/arm64'];

function pairOf(source: string, destination: string): Pair {
  const pair = readPair([source, destination]);
  if (typeof pair === 'string') throw new Error(pair);
  return pair;
}

async function registries(...images: readonly string[]): Promise<MemoryRegistry> {
  const registry = new MemoryRegistry('from.test', 'to.test');
  for (const image of images) await pushImage(registry, image, aMultiPlatformImage(image, ...both));
  return registry;
}

interface Asked {
  readonly platforms?: readonly string[];
  readonly signal?: AbortSignal;
  readonly credentials?: CopyTools['credentials'];
}

interface Ended {
  readonly outcomes: readonly Outcome[];
  readonly totals: Totals;
}

async function copyAll(registry: MemoryRegistry, pairs: readonly Pair[], { platforms = [], signal = new AbortController().signal, credentials = async () => [] }: Asked = {}): Promise<Ended> {
  const board = new ProgressBoard(pairs.map(({ destination }) => destination));
  const wanted = platforms.map((text): Platform => parsePlatform(text)!);
  const tools: CopyTools = { engine: createCopyEngine(registry), registry, credentials, platforms: wanted, strategy: 'auto', referrers: 'none', board };
  const outcomes = await copyList(pairs, tools, { concurrency: 2, signal, onOutcome: () => undefined });
  return { outcomes, totals: sumUp(board.images) };
}

describe('a list of copies', () => {
  test('is done to its end, and told in its order, when one of them fails', async () => {
    const registry = await registries('from.test/a:1', 'from.test/c:1');
    const pairs = ['a', 'b', 'c'].map((name) => pairOf(`from.test/${name}:1`, `to.test/${name}`));

    const { outcomes, totals } = await copyAll(registry, pairs);

    expect(outcomes.map(({ verdict, source }) => [source, verdict])).toEqual([['from.test/a:1', 'copied'], ['from.test/b:1', 'failed'], ['from.test/c:1', 'copied']]);
    expect(totals).toMatchObject({ images: 3, imagesDone: 2, imagesFailed: 1, isComplete: true });
    expect(totals.bytesDone).toBe(totals.bytes);
  });

  test('sends nothing of what is there already', async () => {
    const registry = await registries('from.test/a:1');
    const pairs = [pairOf('from.test/a:1', 'to.test/a')];
    await copyAll(registry, pairs);

    const { outcomes } = await copyAll(registry, pairs);

    expect(outcomes).toMatchObject([{ verdict: 'current', bytes: 0 }]);
  });

  test('has all platforms unless some are asked for', async () => {
    const registry = await registries('from.test/a:1');

    const whole = await copyAll(registry, [pairOf('from.test/a:1', 'to.test/whole')]);
    const part = await copyAll(registry, [pairOf('from.test/a:1', 'to.test/part')], { platforms: ['linux/arm64', 'linux/s390x'] });

    expect(whole.outcomes).toMatchObject([{ strategy: 'all', platforms: both, missingPlatforms: [] }]);
    expect(part.outcomes).toMatchObject([{ strategy: 'rewrite', platforms: ['linux/arm64'], missingPlatforms: ['linux/s390x'] }]);
  });

  test('does not call a copy good whose source is gone, though the destination exists', async () => {
    const registry = await registries('to.test/a:1');

    const { outcomes } = await copyAll(registry, [pairOf('from.test/a:1', 'to.test/a')]);

    expect(outcomes).toMatchObject([{ verdict: 'failed', failure: { code: 'missing', side: 'source' }, message: expect.stringContaining('was left as it is') }]);
  });

  test('says why the source cannot be read, though the destination exists', async () => {
    const registry = await registries('to.test/a:1');
    registry.host('from.test').fails('unauthorized');

    const { outcomes } = await copyAll(registry, [pairOf('from.test/a:1', 'to.test/a')]);

    expect(outcomes).toMatchObject([{ verdict: 'failed', failure: { code: 'unauthorized', side: 'source', host: 'from.test' } }]);
  });

  test('that is interrupted says so of every copy that is not complete', async () => {
    const registry = await registries('from.test/a:1', 'from.test/b:1');
    const interrupt = new AbortController();
    interrupt.abort();

    const { outcomes } = await copyAll(registry, ['a', 'b'].map((name) => pairOf(`from.test/${name}:1`, `to.test/${name}`)), { signal: interrupt.signal });

    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['interrupted', 'interrupted']);
    expect(registry.host('to.test').tagsOf('a').size).toBe(0);
  });

  test('shows each registry its own credentials only', async () => {
    const registry = await registries('from.test/a:1');
    registry.host('to.test').requires('me', 'secret');
    const mine: Identity = [{ id: 'mine', username: 'me', password: 'secret' }];

    const { outcomes } = await copyAll(registry, [pairOf('from.test/a:1', 'to.test/a')], { credentials: async ({ host }) => (host === 'to.test' ? mine : []) });

    expect(outcomes.every(isCopied)).toBe(true);
    expect(new Set(registry.host('from.test').calls.map(({ identity }) => identity))).toEqual(new Set(['anonymous']));
    expect(new Set(registry.host('to.test').calls.map(({ identity }) => identity))).toEqual(new Set(['mine']));
  });
});
