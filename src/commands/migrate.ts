/** `kuik migrate v1`, `kuik migrate v2`: what replaces a v1 set-up; what of a v2 set-up behaves differently. */
import process from 'node:process';
import { Command, Option } from 'commander';
import { helpText } from '../config/terminal.js';
import { complain, outputOption, readArguments, withClusterOptions, type ClusterChoice } from './command-line.js';
import { caFileOption, plainHttpOption, type CaFile } from './copy/options.js';

export interface MigrateV1Options extends ClusterChoice {
  /** `host[:port]` of the mirror that replaces v1's registry */
  readonly registry?: string;
  readonly path: string;
  /** `namespace/name` */
  readonly secret?: string;
  /** values file of v1's release */
  readonly values?: string;
  /** where v1 is installed */
  readonly namespace?: string;
  readonly copyImages?: boolean;
  /** as for kuik copy, of the registry that is to hold the copies */
  readonly plainHttp: readonly string[];
  readonly caFile: readonly CaFile[];
  /** what the path of a copy says of its origin */
  readonly layout: 'path' | 'host';
  /** unless told: YAML of what is printed, a table of what is copied */
  readonly output?: 'yaml' | 'json';
}

export interface MigrateV2Options extends ClusterChoice {
  /** where kuik is installed */
  readonly namespace?: string;
  readonly output: 'table' | 'json' | 'yaml';
}

const help = `Usage: kuik migrate VERSION [options]

  v1            print the resources and values that replace a v1 set-up, and what to copy first
  v2            what of a v2 set-up behaves differently here; its resources are ours

kuik migrate VERSION --help says more about one of them. Neither changes anything in the cluster.
`;

/** @returns 0 nothing to act on, 1 failed, 2 something needs a look first, 130 interrupted */
export async function migrate([name, ...args]: readonly string[]): Promise<number> {
  if (name === 'v1') return v1(args);
  if (name === 'v2') return v2(args);
  if (name === undefined || name === '-h' || name === '--help') {
    (name === undefined ? process.stderr : process.stdout).write(helpText(help));
    return name === undefined ? 1 : 0;
  }
  return complain('migrate', `unknown version ${JSON.stringify(name)}; write v1 or v2`);
}

async function v1(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik migrate v1'))
    .usage('--registry HOST [options]')
    .description("Reads CachedImages, Repositories and Pods of a cluster with v1, and the values of its release, and prints the resources and values that replace it; the plan, with all that is not the same, goes to standard error. Nothing is applied. With --copy-images, images that exist only in v1's registry are copied through the API server: to where the rules of the cluster look for them in that registry, and before there are any, to where those that are printed will.")
    .option('--registry <host>', 'the registry that is to hold the copies, host[:port]; it replaces the one v1 brought along')
    .option('--path <path>', 'path in front of all copies there', '/kuik')
    .addOption(new Option('--layout <layout>', 'host keeps the host of the origin in the path of a copy, so that images of two registries never want one place').choices(['path', 'host']).default('path'))
    .option('--secret <namespace/name>', 'Secret with the credentials that push there')
    .option('--values <file>', "values of v1's release: helm get values kube-image-keeper -n kuik-system; - is standard input")
    .option('-n, --namespace <name>', 'where v1 is installed; kuik-system unless told')
    .option('--copy-images', "copy what exists only in v1's registry, with the logins of docker, podman or crane")
    .addOption(plainHttpOption())
    .addOption(caFileOption())
    .addOption(outputOption(['yaml', 'json'], { yaml: 'unless told; copies make a table then' }).default(undefined))
    .addHelpText('after', '\nExamples:\n  helm get values kube-image-keeper -n kuik-system > v1.yaml\n  kuik migrate v1 --registry registry.example.com --secret kuik-system/push --values v1.yaml > v3.yaml\n  kuik migrate v1 --registry registry.example.com --copy-images\n\nExit status: 0 printed or copied, 1 failed, 2 something needs a look first, 130 interrupted');
  const read = readArguments<MigrateV1Options>(command, args);
  if ('exit' in read) return read.exit;
  const { registry, secret } = read.options;
  if (registry === undefined) return complain('migrate v1', '--registry: name the registry that is to hold the copies, such as registry.example.com');
  if (secret !== undefined && !/^[a-z0-9.-]+\/[a-z0-9.-]+$/.test(secret)) return complain('migrate v1', `--secret ${secret}: write namespace/name`);
  const { runMigrateV1 } = await import('./migrate/run-v1.js');
  return runMigrateV1(registry, read.options);
}

async function v2(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik migrate v2'))
    .description('Looks at the rules, Pods and configuration of a cluster with v2 and tells what will behave differently here: first what to change, then what is worth knowing. The resources stay as they are.')
    .option('-n, --namespace <name>', 'where kuik is installed; else POD_NAMESPACE, kuik-system')
    .addOption(outputOption(['table', 'json', 'yaml']))
    .addHelpText('after', '\nExit status: 0 nothing to act on, 1 failed, 2 something should be changed, 130 interrupted');
  const read = readArguments<MigrateV2Options>(command, args);
  if ('exit' in read) return read.exit;
  const { runMigrateV2 } = await import('./migrate/run-v2.js');
  return runMigrateV2(read.options);
}
