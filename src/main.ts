/** argv -> command. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { helpText } from './config/terminal.js';
import { commands, fail } from './commands/all.js';

// beside the code, where whoever may write the code writes it; where nobody may, every start compiles
enableCompileCache(join(import.meta.dirname, '../compile-cache'));

// names are looked up, and files read, on these threads: with the usual four, four names that nobody answers for stop all of it
process.env['UV_THREADPOOL_SIZE'] ??= '16';

/** @returns exit code: 0 done, 1 failed, 2 done and the answer is bad, 130 interrupted */
async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === 'help' && args.length > 0) return main([...args, '--help']);
  if (name === undefined || name === 'help' || name === '-h' || name === '--help') return help();
  if (name === '--version') return main(['version']);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    process.stderr.write(`kuik: unknown command ${JSON.stringify(name)}; kuik --help lists them\n`);
    return 1;
  }
  if (command.isProcess !== true) endWithReaders();
  const run = await command.load();
  return run(args);
}

const brokenPipe = 141; // 128 and the number of SIGPIPE, as others end whose reader has gone

/** `kuik images | head`: whoever has read enough goes, and that is no failure to tell of. */
function endWithReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(brokenPipe);
      throw error;
    });
  }
}

function help(): number {
  const lines = (processes: boolean): string =>
    Object.entries(commands)
      .filter(([, { isProcess = false, isHidden = false }]) => isProcess === processes && !isHidden)
      .map(([name, { help: text }]) => `  ${name.padEnd(10)} ${text}`)
      .join('\n');
  process.stdout.write(helpText(`kuik keeps container images available when registries fail, throttle or lose them.

Usage: kuik COMMAND [options]

${lines(false)}

The processes it is made of:

${lines(true)}

kuik COMMAND --help says more about one of them.
`));
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  fail(error);
}
