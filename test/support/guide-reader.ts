/** Somebody who follows a page at a real API server: their folder, their tools, and a shell that remembers what was exported. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { Stage } from '../../tools/demo/stage.js';
import { projectRoot } from '../../tools/programs.js';
import { toolOutput, type ApiServer } from '../../tools/servers.js';
import { toolPath } from '../../tools/toolchain.js';
import type { Block } from './guide.js';
import type { Ended } from './kuik.js';

export interface Reader {
  /** where they type */
  readonly folder: string;
  run(commands: string): Promise<Ended>;
}

export interface ReaderOptions {
  readonly folder: string;
  readonly kubeconfig: string;
  readonly env?: Readonly<Record<string, string>>;
  /** texts of the page that mean something else here, the longer first */
  readonly meaning?: Readonly<Record<string, string>>;
}

export async function aReader({ folder, kubeconfig, env = {}, meaning = {} }: ReaderOptions): Promise<Reader> {
  const tools = join(folder, 'tools');
  mkdirSync(tools, { recursive: true });
  symlinkSync(join(projectRoot(), 'bin/kuik'), join(tools, 'kuik'));
  symlinkSync(join(projectRoot(), 'charts'), join(folder, 'charts'));
  for (const tool of ['kubectl', 'crane', 'temporal'] as const) symlinkSync(await toolPath(tool), join(tools, tool));
  writeFileSync(join(tools, 'helm'), helmWithoutPods(await toolPath('helm')));
  chmodSync(join(tools, 'helm'), 0o755);
  // logins, releases and caches are the reader's own
  const home = { HOME: folder, DOCKER_CONFIG: join(folder, 'docker'), HELM_CACHE_HOME: join(folder, 'helm'), HELM_CONFIG_HOME: join(folder, 'helm'), HELM_DATA_HOME: join(folder, 'helm') };

  return {
    folder,
    run: (commands) =>
      new Promise((resolve) => {
        const meant = Object.entries(meaning).reduce((text, [from, to]) => text.replaceAll(from, to), commands);
        const script = `[ ! -f .exported ] || . ./.exported\ntrap 'export -p > .exported' EXIT\n${meant}`;
        execFile('bash', ['-euc', script], { cwd: folder, env: { ...process.env, ...home, PATH: `${tools}:${process.env['PATH'] ?? ''}`, KUBECONFIG: kubeconfig, ...env }, timeout: 100_000 }, (error, output, errors) => {
          resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, output, errors });
        });
      }),
  };
}

/** No Pod runs here: the chart's hooks, which are Jobs, would be waited for until they are given up. */
function helmWithoutPods(helm: string): string {
  return `#!/bin/sh\ncase "$1" in\n  install|upgrade|uninstall|rollback) exec "${helm}" "$@" --no-hooks ;;\n  *) exec "${helm}" "$@" ;;\nesac\n`;
}

/** What a page's own commands cannot bring about, at an API server without a stage around it. */
export function atApiServer(server: Pick<ApiServer, 'kubeconfig'>): Pick<Stage, 'apply' | 'kubectl'> {
  const kubectl = (args: readonly string[], input?: string): Promise<string> => toolOutput('kubectl', ['--kubeconfig', server.kubeconfig, ...args], input === undefined ? {} : { input });
  return { kubectl: (...args) => kubectl(args), apply: (manifest) => kubectl(['apply', '-f', '-'], manifest) };
}

/** The commands of a block: a line, and those it goes on with behind a backslash. Comments are none. */
export function commandsOf({ commands }: Pick<Block, 'commands'>): readonly string[] {
  return commands.split(/(?<!\\)\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
}
