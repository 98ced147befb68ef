import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Environment } from './go-version.js';
import { withLock } from './lock.js';
import { moduleFolder, pinnedVersion } from './programs.js';
import type { Program } from './programs.js';

/**
 * Builds a program from its pinned module.
 *
 * The binary appears at `path` complete or not at all: it is linked under another name and renamed. Whoever asks
 * for the same path meanwhile, in any process, waits and gets this one.
 *
 * @throws Error with the last lines of `go build`
 */
export async function buildProgram(program: Program, path: string, environment: Environment): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  await withLock(`${path}.lock`, async () => {
    if (existsSync(path)) return; // somebody else built it while we waited
    const unfinished = join(dirname(path), `.${basename(path)}.${process.pid}`);
    try {
      await goBuild(program, unfinished, environment);
      renameSync(unfinished, path);
    } finally {
      rmSync(unfinished, { force: true });
    }
  });
}

/** Static (no C compiler needed) and without paths of this machine. */
async function goBuild(program: Program, output: string, environment: Environment): Promise<void> {
  const args = ['build', ...(program.tags === undefined ? [] : ['-tags', program.tags]), '-mod=readonly', '-buildvcs=false', '-trimpath', '-ldflags', ['-s', '-w', ...stamps(program)].join(' '), '-o', output, program.package];
  const go = spawn('go', args, { cwd: moduleFolder(program), env: { ...environment, CGO_ENABLED: '0', GOWORK: 'off' }, stdio: ['ignore', 'pipe', 'pipe'] });

  let said = '';
  for (const stream of [go.stdout, go.stderr]) stream.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
  const code = await new Promise<number | null>((resolve, reject) => go.once('error', reject).once('close', resolve));

  if (code !== 0) throw new Error(buildFailed(program, said));
}

function buildFailed(program: Program, said: string): string {
  const lines = said.trimEnd().split('\n').slice(-15);
  return [
    `building ${program.name} from tools/go/${program.module} failed:`,
    ...lines.map((line) => `    ${line}`),
    `Is a Go module proxy reachable (go env GOPROXY)? Is there disk for modules and build cache (about 10 GiB)? Or bring the program: put ${program.name} on the PATH.`,
  ].join('\n');
}

/** Kubernetes does not know its own version unless it is told. */
function stamps(program: Program): string[] {
  if (program.module !== 'kubernetes') return [];
  const version = pinnedVersion(program);
  const [major, minor] = version.split('.');
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((name) => [
    `-X ${name}.gitVersion=v${version}`,
    `-X ${name}.gitMajor=${major}`,
    `-X ${name}.gitMinor=${minor}`,
  ]);
}
