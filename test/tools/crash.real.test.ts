import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { scratchFolder } from '../../tools/servers.js';
import { eventually, isAlive } from './alive.js';

interface Story {
  readonly pid: number;
  readonly scratch: string;
}

/** Starts a program that starts a server, as the demo does, and ends in some way that nobody planned. */
async function aProgramThat(ends: string): Promise<{ program: ChildProcess; story: Story }> {
  const dir = scratchFolder('crash');
  const tools = join(import.meta.dirname, '../../dist/tools');
  writeFileSync(
    join(dir, 'program.mjs'),
    `import { writeFileSync } from 'node:fs';
     import { scratchFolder, launch } from '${tools}/servers.js';
     const scratch = scratchFolder('some');
     const server = await launch({ name: 'sleep', command: 'sleep', args: ['600'], logFile: scratch + '/log', ready: async () => true });
     writeFileSync('${dir}/story.new', JSON.stringify({ pid: server.pid, scratch }));
     (await import('node:fs')).renameSync('${dir}/story.new', '${dir}/story');
     ${ends}`,
  );
  const program = spawn(process.execPath, [join(dir, 'program.mjs')], { stdio: 'ignore', env: { ...process.env, NODE_OPTIONS: '', KUIK_KEEP: '' } });
  await eventually(() => existsSync(join(dir, 'story')));
  return { program, story: JSON.parse(readFileSync(join(dir, 'story'), 'utf8')) as Story };
}

describe('servers end with the program that started them', () => {
  test.each([
    ['throws', 'throw new Error("a bug")'],
    ['exits without stopping them', 'process.exit(0)'],
  ])('when it %s', async (_sentence, ends) => {
    const { story } = await aProgramThat(ends);

    await eventually(() => !isAlive(story.pid) && !existsSync(story.scratch));
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('when it is killed with %s', async (signal) => {
    const { program, story } = await aProgramThat('setInterval(() => {}, 1000)');
    expect(isAlive(story.pid)).toBe(true);

    program.kill(signal);

    await eventually(() => !isAlive(story.pid) && !existsSync(story.scratch));
  });
});
