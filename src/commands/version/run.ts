import process from 'node:process';
import { Command } from 'commander';
import { complain, outputOption, readArguments } from '../command-line.js';
import { isData, printDocument } from '../output.js';
import { readBuild, versionDocument, versionText } from '../version.js';

interface VersionOptions {
  readonly output: 'table' | 'json' | 'yaml';
}

export async function runVersion(args: readonly string[]): Promise<number> {
  const command = new Command('kuik version')
    .description('The version of this program, the commit it was built from where that is known, and what it runs on. kuik check tells the versions of the processes in a cluster.')
    .allowExcessArguments()
    .addOption(outputOption(['table', 'json', 'yaml']))
    .addHelpText('after', '\nExit status: 0 printed, 1 failed');
  const read = readArguments<VersionOptions>(command, args);
  if ('exit' in read) return read.exit;
  if (read.args.length > 0) return complain('version', `${read.args[0]}: takes no argument`);
  const { output } = read.options;
  if (isData(output)) await printDocument(versionDocument(readBuild()), output);
  else process.stdout.write(`${versionText(readBuild())}\n`);
  return 0;
}
