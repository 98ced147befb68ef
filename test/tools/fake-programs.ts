import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { scratchFolder } from '../../tools/guard.js';

/** A machine as the toolchain sees it: a PATH with the programs a test puts there, and a cache of its own. */
export interface Machine {
  readonly dir: string;
  readonly environment: { readonly PATH: string; readonly KUIK_CACHE_DIR: string };
  /** puts a shell script somewhere below `dir` and returns its path */
  program(path: string, script: string): string;
  /** puts a Go on the PATH that counts its builds and makes "binaries" */
  go(script?: { version?: string; build?: string }): void;
  builds(): number;
}

export function aMachine(): Machine {
  const dir = scratchFolder('machine');
  const log = join(dir, 'builds');
  writeFileSync(log, '');

  const program = (path: string, script: string): string => {
    const file = join(dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  };

  return {
    dir,
    environment: { PATH: join(dir, 'path'), KUIK_CACHE_DIR: join(dir, 'cache') },
    program,
    go: ({ version = 'go1.26.4', build = makesABinary } = {}) => {
      program('path/go', `[ "$1" = env ] && { echo ${version}; exit; }\necho build >>${log}\n${build}`);
    },
    builds: () => readFileSync(log, 'utf8').split('\n').length - 1,
  };
}

/** Takes a moment, as a real build does, so that two at once would meet. */
const makesABinary = `
while [ "$1" != -o ]; do shift; done
echo unfinished >"$2"
/bin/sleep 0.2
echo '#!/bin/sh' >"$2"
/bin/chmod +x "$2"`;
