/** `kuik completion`: the script that makes a shell complete our commands; and `__complete`, which that script asks. */
import { Command } from 'commander';
import process from 'node:process';
import { complain, readArguments } from './command-line.js';
import { scripts, type Shell } from './completion/scripts.js';

const help = `
bash:        source <(kuik completion bash)                  # for ever: in ~/.bashrc
zsh:         source <(kuik completion zsh)                   # for ever: in ~/.zshrc, after compinit
fish:        kuik completion fish | source                   # for ever: kuik completion fish > ~/.config/fish/completions/kuik.fish
PowerShell:  kuik completion powershell | Out-String | Invoke-Expression

kubectl kuik completes once kubectl_complete-kuik, which comes with kuik, is on the PATH.`;

/** @returns 0 printed, 1 failed */
export async function completion(args: readonly string[]): Promise<number> {
  const shells = Object.keys(scripts);
  const command = new Command('kuik completion')
    .usage(`${shells.join(' | ')}`)
    .allowExcessArguments()
    .description('Prints the script that makes a shell complete commands, options, and the names of images, rules and namespaces.')
    .addHelpText('after', help);
  const read = readArguments(command, args);
  if ('exit' in read) return read.exit;
  const [shell = '', ...more] = read.args;
  if (!isShell(shell) || more.length > 0) return complain('completion', `name a shell: ${shells.join(', ')}`);
  process.stdout.write(scripts[shell]);
  return 0;
}

/**
 * Answers in the protocol of kubectl and its like: a line per candidate, `VALUE<tab>DESCRIPTION`, then `:` and a number
 * that says what the shell is to do.
 *
 * @param words everything behind the name of the program; the last one is being typed
 * @returns 0 always: a shell that completes shows no errors
 */
export async function complete(words: readonly string[]): Promise<number> {
  const { candidatesFor, answerText } = await import('./completion/candidates.js');
  process.stdout.write(answerText(await candidatesFor(words)));
  return 0;
}

function isShell(text: string): text is Shell {
  return Object.hasOwn(scripts, text);
}
