/** The page about monitoring, as a reader meets it, in a cluster where one of two images has gone from its registry. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder } from '../../tools/servers.js';
import { toolPath } from '../../tools/toolchain.js';
import { blocksIn, prints, type Block } from '../support/guide.js';
import { createPod, push } from '../support/stage.js';

const blocks = blocksIn(readFileSync(join(projectRoot(), 'docs/guides/monitoring.md'), 'utf8'));
const configuration = '\nmonitoring:\n  registries:\n    default:\n      interval: 10s\n      maxPerInterval: 50\n';

describe('the page about monitoring', () => {
  const folder = scratchFolder('monitoring-guide');
  let stage: Stage;
  beforeAll(async () => {
    mkdirSync(join(folder, 'bin'));
    symlinkSync(join(projectRoot(), 'bin/kuik'), join(folder, 'bin/kuik'));
    symlinkSync(await toolPath('kubectl'), join(folder, 'kubectl')); // not every machine has one
    stage = await Stage.open({ dir: join(folder, 'stage'), configuration });
    for (const name of ['web', 'api']) {
      await push(stage, `${name}:1.0`);
      await createPod(stage, name, stage.image(`${name}:1.0`));
    }
  }, 180_000);
  afterAll(() => stage?.close());

  test('has commands, and says what they print', () => {
    expect(blocks.length).toBeGreaterThan(5);
    expect(blocks.filter(({ output }) => output === undefined)).toEqual([]);
  });

  test.each(blocks)('$commands', async (block) => {
    if (block.commands === 'kubectl get cisa') await loseOne();
    let seen = await run(block);
    for (let again = 0; again < 30 && isQuestion(block) && !prints(block, seen); again++) seen = await run(block);

    if (!prints(block, seen)) expect(seen).toBe(block.output);
  }, 120_000);

  /** After it was seen: events tell of what changed. */
  async function loseOne(): Promise<void> {
    const available = (): Promise<string> => stage.kubectl('get', 'cisa', 'everything', '-o', 'jsonpath={.status.counts.available}');
    while ((await available()) !== '2') await new Promise((resolve) => setTimeout(resolve, 200));
    await stage.crane('delete', stage.image('api:1.0'));
  }

  function run({ commands }: Block): Promise<string> {
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}`, KUBECONFIG: stage.api.kubeconfig, SOURCE: stage.sourceAddress };
    return new Promise((resolve, reject) => {
      execFile('bash', ['-euc', commands], { cwd: folder, env, timeout: 100_000 }, (error, stdout, stderr) => (error ? reject(new Error(`${commands}\n${stdout}${stderr}`)) : resolve(stdout)));
    });
  }
});

function isQuestion({ commands }: Block): boolean {
  return /^(kubectl get (?!ia)|bin\/kuik (images|rehearse))/.test(commands);
}
