/** Completion in the shells themselves, with names of a real API server. A shell that is not installed is skipped, and says so. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder, startApiServer, toolOutput, type ApiServer } from '../../tools/servers.js';
import { toolPath } from '../../tools/toolchain.js';

let api: ApiServer;
let bin: string;
beforeAll(async () => {
  const dir = scratchFolder('completion');
  api = await startApiServer({ dir: join(dir, 'api') });
  const kubectl = (...args: string[]): Promise<string> => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, ...args]);
  await kubectl('apply', '--server-side', '-f', join(projectRoot(), 'charts', 'kube-image-keeper', 'crds'));
  await kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
  const record = (name: string, image: string): object => ({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ImageAvailability', metadata: { name }, spec: { image } });
  const rule = { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'everything' }, spec: {} };
  const items = [record('nginx', 'docker.io/library/nginx:1.27'), record('api-1', 'ghcr.io/acme/api:v1'), record('api-2', 'ghcr.io/acme/api:v2'), rule];
  await toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, 'apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  bin = join(dir, 'bin');
  await mkdir(bin, { recursive: true });
  for (const name of ['kuik', 'kubectl-kuik']) await symlink(join(projectRoot(), 'bin', 'kuik'), join(bin, name));
  await symlink(join(projectRoot(), 'bin', 'kubectl_complete-kuik'), join(bin, 'kubectl_complete-kuik'));
  await symlink(await toolPath('kubectl'), join(bin, 'kubectl'));
});
afterAll(() => api?.kill());

function isInstalled(shell: string): boolean {
  try {
    execFileSync(shell, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write(`SKIPPED: ${shell} is not installed, so completion in it is not tested here\n`);
    return false;
  }
}

function run(command: string, args: readonly string[]): Promise<string> {
  const env = { PATH: `${bin}:${process.env['PATH']}`, HOME: mkdtempSync(join(tmpdir(), 'kuik-home-')), KUBECONFIG: api.kubeconfig, TERM: 'dumb' };
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { env, timeout: 30_000 }, (error, output, errors) => (error === null ? resolve(output) : reject(new Error(`${error.message}\n${output}\n${errors}`))));
  });
}

/** What a line becomes, or could become, in each shell: sorted candidates, as the shell would put them there. */
const shells: Readonly<Record<string, (line: string) => Promise<readonly string[]>>> = {
  bash: async (line) => {
    const script = `source <(kuik completion bash); COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'; COMP_LINE=$1; COMP_POINT=\${#1}; compopt() { :; }; _kuik_complete; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return lines(await run('bash', ['--norc', '-c', script, 'bash', line]));
  },
  // an interactive one on a pseudo-terminal; a key prints what the line has become
  zsh: async (line) => {
    const script = `
      zmodload zsh/zpty
      zpty shell zsh -f -i
      say() { zpty -w shell "$1" }
      say 'PS1=; PROMPT=; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -D -u; setopt no_list_beep no_auto_list no_list_ambiguous; source <(kuik completion zsh)'
      say 'show() { print -r -- "BECAME<$BUFFER>" }; zle -N show; bindkey "^X" show; print READY'
      zpty -r shell out '*READY*READY*'
      zpty -w -n shell "$1"$'\\t'
      zpty -w -n shell $'\\x18'
      zpty -r shell out '*BECAME<*>*'
      print -r -- "\${\${out##*BECAME<}%%>*}"
      zpty -d shell`;
    return [(await run('zsh', ['-f', '-c', script, 'zsh', line])).trim().split(' ').at(-1) ?? ''];
  },
  fish: async (line) => lines(await run('fish', ['--no-config', '-c', 'kuik completion fish | source; complete -C $argv[1]', line])).map((each) => each.split('\t')[0] ?? ''),
  pwsh: async (line) => lines(await run('pwsh', ['-NoProfile', '-Command', `kuik completion powershell | Out-String | Invoke-Expression; (TabExpansion2 -inputScript '${line}' -cursorColumn ${line.length}).CompletionMatches.CompletionText`])),
};

function lines(output: string): readonly string[] {
  return output.split('\n').filter((line) => line !== '').sort();
}

for (const [shell, complete] of Object.entries(shells)) {
  (isInstalled(shell) ? describe : describe.skip)(`in ${shell}`, () => {
    test.each<[string, string, string[]]>([
      ['commands complete', 'kuik unins', ['uninstall']],
      ['options complete', 'kuik images --unm', ['--unmirrored']],
      ['values of options complete', 'kuik retry nginx --dry-run s', ['server']],
      ['names of images complete, the short ones as people write them', 'kuik describe ngi', ['nginx:1.27']],
      ['names of rules complete', 'kuik ui cism/e', ['cism/everything']],
    ])('%s', async (_sentence, line, expected) => {
      expect(await complete(line)).toEqual(expected);
    });
  });
}

(isInstalled('bash') ? test : test.skip)('in bash the part of a name behind its colon completes alone: bash replaces no more than that', async () => {
  expect(await shells['bash']!('kuik describe ghcr.io/acme/api:')).toEqual(['v1', 'v2']);
});

(isInstalled('pwsh') ? describe : describe.skip)('in PowerShell', () => {
  const ask = async (line: string, cursor = line.length): Promise<readonly string[]> =>
    lines(await run('pwsh', ['-NoProfile', '-Command', `kuik completion powershell | Out-String | Invoke-Expression; (TabExpansion2 -inputScript '${line.replaceAll("'", "''")}' -cursorColumn ${cursor}).CompletionMatches.CompletionText`]));

  test.each<[string, string, number | undefined, string[]]>([
    ['a word of which nothing is typed', 'kuik cluster ', undefined, ['forget', 'list']],
    ['a word in quotes', "kuik describe 'ngi", undefined, ['nginx:1.27']],
    ['an empty value before it', "kuik images -l '' --unav", undefined, ['--unavailable']],
    ['a cursor within the line', 'kuik unins --yes', 'kuik unins'.length, ['uninstall']],
    ['the path of the program', `& '${join(projectRoot(), 'bin', 'kuik')}' unins`, undefined, ['uninstall']],
    ['nothing that could follow: no files either', 'kuik pin nginx --until ', undefined, []],
  ])('%s is understood', async (_sentence, line, cursor, expected) => {
    expect(await ask(line, cursor)).toEqual(expected);
  });

  test('the exit code of what ran before stays', async () => {
    const script = "kuik completion powershell | Out-String | Invoke-Expression; sh -c 'exit 7'; $null = TabExpansion2 -inputScript 'kuik unins' -cursorColumn 10; $LASTEXITCODE";
    expect((await run('pwsh', ['-NoProfile', '-Command', script])).trim()).toBe('7');
  });
});

describe('as a plugin of kubectl', () => {
  test.each([
    ['help', ['--help'], 'Usage: kubectl kuik COMMAND'],
    ['help of a command, and its examples', ['describe', '--help'], '  kubectl kuik describe nginx:1.27'],
    ['help of a command of a command', ['cluster', 'list', '--help'], 'Usage: kubectl kuik cluster list'],
  ])('%s says what was typed', async (_what, args, said) => {
    expect(await run('kubectl', ['kuik', ...args])).toContain(said);
  });

  test('and by itself the same', async () => {
    expect(await run('kuik', ['describe', '--help'])).toContain('Usage: kuik describe');
  });
});

describe('through kubectl', () => {
  const ask = async (...words: string[]): Promise<readonly string[]> => (await run('kubectl', ['__complete', 'kuik', ...words])).split('\n').map((line) => line.split('\t')[0] ?? '');

  test('commands, options and names complete', async () => {
    expect(await ask('unins')).toEqual(['uninstall', ':4', '']);
    expect(await ask('describe', 'ghcr.io/')).toEqual(['ghcr.io/acme/api:v1', 'ghcr.io/acme/api:v2', ':4', '']);
  });
});
