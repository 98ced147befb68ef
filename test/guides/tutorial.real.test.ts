/** The tutorial, as a reader meets it: `make demo CLUSTER=0` in one terminal, its commands in another. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { story } from '../../tools/demo/story.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder } from '../../tools/servers.js';
import { toolPath } from '../../tools/toolchain.js';
import { blocksIn, prints, type Block } from '../support/guide.js';

const blocks = blocksIn(readFileSync(join(projectRoot(), 'docs/guides/tutorial.md'), 'utf8')).filter(({ commands }) => commands !== 'make demo CLUSTER=0');

describe('the tutorial', () => {
  const folder = scratchFolder('tutorial');
  let stage: Stage;
  beforeAll(async () => {
    mkdirSync(join(folder, 'bin'));
    symlinkSync(join(projectRoot(), 'bin/kuik'), join(folder, 'bin/kuik'));
    symlinkSync(await toolPath('kubectl'), join(folder, 'kubectl')); // not every machine has one
    stage = await Stage.open({ dir: join(folder, 'stage') });
    for (const step of story) await step.play(stage, () => undefined);
  }, 300_000);
  afterAll(() => stage?.close());

  test('has commands, and says what most of them print', () => {
    expect(blocks.length).toBeGreaterThan(10);
    expect(blocks.filter(({ output }) => output === undefined).map(({ commands }) => commands)).toEqual(['kubectl delete pod api -n shop --now']);
  });

  test.each(blocks)('$commands', async (block) => {
    let seen = await run(block);
    // a page says "a few seconds later", too; only questions are asked again
    for (let again = 0; again < 20 && isQuestion(block) && !prints(block, seen); again++) seen = await run(block);

    if (!prints(block, seen)) expect(seen).toBe(block.output);
  }, 120_000);

  function run({ commands }: Block): Promise<string> {
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}`, KUBECONFIG: stage.api.kubeconfig, SOURCE: stage.sourceAddress, MIRROR: stage.mirror.address };
    return new Promise((resolve, reject) => {
      execFile('bash', ['-euc', commands], { cwd: folder, env, timeout: 100_000 }, (error, stdout, stderr) => (error ? reject(new Error(`${commands}\n${stdout}${stderr}`)) : resolve(stdout)));
    });
  }
});

function isQuestion({ commands }: Block): boolean {
  return commands.split('\n').every((line) => /^(kubectl get|bin\/kuik (images|preview|status|explain))/.test(line));
}
