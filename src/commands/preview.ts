/** `kuik preview`: which copies will be deleted, when, and what protects the rest; with files, what applying them would do. */
import { Command } from 'commander';
import { complain, configOption, outputOption, readArguments, withClusterOptions, type ClusterChoice } from './command-line.js';

export interface PreviewOptions extends ClusterChoice {
  /** manifests with rules; `-` is standard input */
  readonly filename?: string;
  /** of rules in files that name none */
  readonly namespace: string;
  /** a file of settings; those of the cluster unless told */
  readonly config?: string;
  /** also list what stays */
  readonly all?: boolean;
  readonly output: 'table' | 'wide' | 'json' | 'yaml' | 'name';
}

/** @returns 0 done, 1 failed, 2 a rule in the files cannot be used or is refused copies, 130 interrupted */
export async function preview(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik preview'))
    .description('Which copies will be deleted, when, and what protects the rest. With files: which copies applying them would make, release and delete. Changes nothing.')
    .option('-f, --filename <file>', 'manifests with rules, as they would be applied; - is standard input')
    .option('-n, --namespace <name>', 'namespace of rules in the file that name none', 'default')
    .addOption(configOption('manager'))
    .option('-a, --all', 'also list the copies that stay')
    .addOption(outputOption(['table', 'wide', 'json', 'yaml', 'name'], { name: 'the records of copies that go' }))
    .addHelpText('after', '\nExamples:\n  kuik preview\n  kuik preview -f rules.yaml\n  kuik preview -o name | xargs kuik pin --until 720h\n\nExit status: 0 done, 1 failed, 2 a rule in the file cannot be used, or two images want one place');
  const read = readArguments<PreviewOptions>(command, args);
  if ('exit' in read) return read.exit;
  if (read.args.length > 0) return complain('preview', `${read.args[0]}: takes no image; kubectl get ia shows the end of each, and kuik preview of all`);
  if (read.options.output === 'name' && read.options.filename !== undefined) return complain('preview', '-o name: prints the records of copies that go, and -f what rules would change; leave one out');
  const { runPreview } = await import('./preview/run.js');
  return runPreview(read.options);
}
