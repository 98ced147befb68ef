/** `kuik cluster list` and `kuik cluster forget`: who else claims what we claim, and who is gone for good. */
import { Command } from 'commander';
import { helpText } from '../config/terminal.js';
import { complain, dryRunOption, outputOption, readArguments, timeoutOption, withClusterOptions, type ClusterChoice, type DryRun } from './command-line.js';

export interface ClusterCommandOptions extends ClusterChoice {
  /** where kuik is installed */
  readonly namespace?: string;
  readonly output: 'table' | 'wide' | 'json' | 'yaml' | 'name';
}

export interface ForgetOptions extends ClusterCommandOptions {
  readonly yes?: boolean;
  readonly dryRun: DryRun;
  /** milliseconds */
  readonly timeout: number;
}

const usualTimeoutMs = 5 * 60 * 1000;

const help = `Usage: kuik cluster COMMAND [options]

  list          clusters that claim what this one claims, and when each was heard of
  forget ID     drop the claims of one that is gone for good

kuik cluster COMMAND --help says more about one of them.
`;

/** @returns 0 done, 1 failed, 2 a cluster has fallen silent, 130 interrupted */
export async function cluster([name, ...args]: readonly string[]): Promise<number> {
  if (name === 'list') return list(args);
  if (name === 'forget') return forget(args);
  if (name === undefined || name === '-h' || name === '--help') {
    (name === undefined ? process.stderr : process.stdout).write(helpText(help));
    return name === undefined ? 1 : 0;
  }
  return complain('cluster', `unknown command ${JSON.stringify(name)}; write list or forget`);
}

async function list(args: readonly string[]): Promise<number> {
  const command = withNamespace(new Command('kuik cluster list'))
    .description('Clusters that claim destinations this cluster claims too, as its last daily sweep heard of them. A cluster that is silent still holds back deletions.')
    .addOption(outputOption(['table', 'wide', 'json', 'yaml', 'name']))
    .addHelpText('after', '\nExit status: 0 all of them renew their claims, 1 failed, 2 one has fallen silent');
  const read = readArguments<ClusterCommandOptions>(command, args);
  if ('exit' in read) return read.exit;
  const { runList } = await import('./cluster/list.js');
  return runList(read.options);
}

async function forget(args: readonly string[]): Promise<number> {
  const command = withNamespace(new Command('kuik cluster forget'))
    .usage('ID [options]')
    .description('Drops the claims of a cluster that is gone for good, on every keeper: retention no longer waits for it. One that still lives claims again, with its next renewal at the latest.')
    .argument('[id]', 'as kuik cluster list prints it')
    .option('-y, --yes', 'do not ask')
    .addOption(timeoutOption('how long to wait for the manager', usualTimeoutMs))
    .addOption(dryRunOption())
    .addOption(outputOption(['table', 'json', 'yaml']))
    .addHelpText('after', '\nExit status: 0 forgotten, 1 failed, refused or not done in time');
  const read = readArguments<ForgetOptions>(command, args);
  if ('exit' in read) return read.exit;
  const [id, ...more] = read.args;
  if (id === undefined || more.length > 0) return complain('cluster forget', 'name one cluster; kuik cluster list prints their IDs');
  const { runForget } = await import('./cluster/forget.js');
  return runForget(id, read.options);
}

function withNamespace(command: Command): Command {
  return withClusterOptions(command).option('-n, --namespace <name>', 'where kuik is installed; else POD_NAMESPACE, kuik-system');
}
