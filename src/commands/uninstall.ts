/** `kuik uninstall`: what has to happen before the processes go, so that nothing is left that waits for them. */
import { Command } from 'commander';
import { complain, dryRunOption, readArguments, timeoutOption, withClusterOptions, type ClusterChoice, type DryRun } from './command-line.js';

export interface UninstallOptions extends ClusterChoice {
  readonly yes?: boolean;
  readonly dryRun: DryRun;
  /** milliseconds */
  readonly timeout: number;
}

const usualTimeoutMs = 60_000;

/** @returns 0 done, 1 failed, 130 interrupted */
export async function uninstall(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik uninstall'))
    .description('Removes the registration of the webhook, the rights of the manager, and then our finalizers from every rule. Rules, records, copies, and the copies of pull Secrets stay. The chart runs it before it is uninstalled; elsewhere run it, then delete the rest.')
    .option('-y, --yes', 'do it without a question')
    .addOption(dryRunOption())
    .addOption(timeoutOption('how long to try', usualTimeoutMs))
    .addHelpText('after', '\nKUIK_FULL_NAME is what the names of the objects begin with, kube-image-keeper unless set.\n\nExit status: 0 nothing of it is left, 1 failed');
  const read = readArguments<UninstallOptions>(command, args);
  if ('exit' in read) return read.exit;
  if (read.options.yes !== true && read.options.dryRun === 'none') return complain('uninstall', 'from here on no Pod is routed and nothing is mirrored; add --yes to do it, or --dry-run=client to see what it would do');
  const { runUninstall } = await import('./uninstall/run.js');
  return runUninstall(read.options);
}
