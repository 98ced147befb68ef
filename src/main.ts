/** argv -> command. Commands load lazily: the Kubernetes and Temporal clients cost most of a second to import. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { keepYoungGenerationSmall } from './commands/young-generation.js';

// beside the code, where whoever may write the code writes it; where nobody may, every start compiles
enableCompileCache(join(import.meta.dirname, '../compile-cache'));

// names are looked up, and files read, on these threads: with the usual four, four names that nobody answers for stop all of it
process.env['UV_THREADPOOL_SIZE'] ??= '16';

type Run = (args: readonly string[]) => Promise<number>;

interface Command {
  readonly help: string;
  readonly load: () => Promise<Run>;
}

const commands: Readonly<Record<string, Command>> = {
  explain: { help: 'where would each container pull from, and why', load: async () => (await import('./commands/explain.js')).explain },
  retry: { help: 'try copies again now, and tell how each ended', load: async () => (await import('./commands/retry.js')).retry },
  mirror: { help: 'copy an image to its mirrors now', load: async () => (await import('./commands/retry.js')).mirror },
  pin: { help: 'keep an unused copy', load: async () => (await import('./commands/pin.js')).pin },
  unpin: { help: 'let it go again', load: async () => (await import('./commands/pin.js')).unpin },
  preview: { help: 'which copies will be deleted, and what rules would change', load: async () => (await import('./commands/preview.js')).preview },
  cluster: { help: 'which clusters share our copies; forget one that is gone', load: async () => (await import('./commands/cluster.js')).cluster },
  copy: { help: 'copy one image between two registries', load: async () => (await import('./commands/copy.js')).copy },
  version: { help: 'print the version', load: async () => (await import('./commands/version.js')).version },
  run: { help: 'webhook and manager in one process', load: serve('run') },
  webhook: { help: 'the admission server', load: serve('webhook') },
  manager: { help: 'watchers and Temporal workers', load: serve('manager') },
};

function serve(role: 'run' | 'webhook' | 'manager'): () => Promise<Run> {
  return async () => {
    if (role !== 'webhook') keepYoungGenerationSmall(); // whoever copies relays blobs; admission has other garbage
    const { serve: start } = await import('./commands/serve.js');
    return async (args) => {
      try {
        process.exitCode = await start(role, args);
      } catch (error) {
        fail(error);
      }
      // everything that can be closed is closed; the native side of Temporal, when no worker ever came to run, holds the process for ever
      return process.exit();
    };
  };
}

/** @returns exit code: 0 done, 1 failed, 2 done and the answer is bad, 130 interrupted */
async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '-h' || name === '--help') return help();
  if (name === '--version') return main(['version']);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    process.stderr.write(`kuik: unknown command ${JSON.stringify(name)}; kuik --help lists them\n`);
    return 1;
  }
  const run = await command.load();
  return run(args);
}

function help(): number {
  const lines = Object.entries(commands).map(([name, { help: text }]) => `  ${name.padEnd(10)} ${text}`);
  process.stdout.write(`kuik keeps container images available when registries fail, throttle or lose them.

Usage: kuik COMMAND [options]

${lines.join('\n')}

kuik COMMAND --help says more about one of them.
`);
  return 0;
}

function fail(error: unknown): void {
  process.stderr.write(`kuik: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  fail(error);
}
