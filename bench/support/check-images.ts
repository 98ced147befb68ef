/**
 * The process that the bench `check` measures. It asks which digest each image has, through the port and with the client that
 * a manager makes, but without the manager around it; it prints `Checked` as JSON.
 *
 *     node check-images.js CONFIG together|in-turn < images, one a line
 */
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { openRegistry } from '../../src/commands/registry-client.js';
import { readBuild } from '../../src/commands/version.js';
import { readEnvironment } from '../../src/config/environment.js';
import { readConfig } from '../../src/config/load.js';
import { knownImageRef } from '../../src/domain/image-ref.js';
import type { Call, Registry } from '../../src/registry/registry.js';

export type Manner = 'together' | 'in-turn';

export interface Checked {
  /** what each image answered with, in the order they were given; `missing` where there is none */
  readonly digests: readonly string[];
  /** how long each check took inside this process, milliseconds */
  readonly latenciesMs: readonly number[];
}

const call: Call = { signal: new AbortController().signal, purpose: 'check', side: 'source' };

async function main(configFile: string, manner: Manner): Promise<void> {
  const environment = readEnvironment();
  const { config, problems } = readConfig(configFile, environment);
  if (config === undefined) throw new Error(problems.join('\n'));
  const images = (await text(process.stdin)).split('\n').filter(Boolean);

  const registry = openRegistry({ config, environment, version: readBuild().version });
  try {
    const checks = manner === 'together' ? await Promise.all(images.map((image) => check(registry, image))) : await inTurn(registry, images);
    const checked: Checked = { digests: checks.map(({ digest }) => digest), latenciesMs: checks.map(({ tookMs }) => tookMs) };
    process.stdout.write(JSON.stringify(checked));
  } finally {
    await registry.close();
  }
}

interface Check {
  readonly digest: string;
  readonly tookMs: number;
}

async function inTurn(registry: Pick<Registry, 'head'>, images: readonly string[]): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const image of images) checks.push(await check(registry, image));
  return checks;
}

async function check(registry: Pick<Registry, 'head'>, image: string): Promise<Check> {
  const start = performance.now();
  const seen = await registry.head(knownImageRef(image), [], call);
  return { digest: seen === 'missing' ? seen : seen.digest, tookMs: performance.now() - start };
}

const [, , configFile = '', manner] = process.argv;
await main(configFile, manner === 'in-turn' ? 'in-turn' : 'together');
