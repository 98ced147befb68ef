/** `kuik explain`: where would each container pull from, and why; also as if a registry were down. */
import { Command, Option } from 'commander';
import { complain, configOption, outputOption, readArguments, withClusterOptions, type ClusterChoice } from './command-line.js';

export interface ExplainOptions extends ClusterChoice {
  /** manifests, or folders of them; `-` is standard input */
  readonly filename: readonly string[];
  /** images by themselves, as a Pod would name them */
  readonly image: readonly string[];
  /** that of the kubeconfig's context unless told */
  readonly namespace?: string;
  /** `host=state` */
  readonly asIf: readonly string[];
  /** a file of settings; those of the cluster unless told */
  readonly config?: string;
  readonly output: 'table' | 'wide' | 'json' | 'yaml' | 'name';
}

const help = `
Examples:
  kuik explain pod/web-6d5f -n shop
  kuik explain deploy/web sts/db -n shop --as-if docker.io=down
  kuik explain -f manifests/
  kuik explain --image ghcr.io/acme/api:v4 -n shop
  kuik explain -f manifests/ -o name

Exit status: 0 every image can be pulled from somewhere, 1 failed, 2 an image can be pulled from nowhere, 130 interrupted`;

/** @returns 0 every image can be pulled from somewhere, 1 failed, 2 an image can be pulled from nowhere, 130 interrupted */
export async function explain(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik explain'))
    .usage('KIND/NAME... [options]\n       kuik explain -f FILE... [options]\n       kuik explain --image IMAGE... [options]')
    .description('Where would each container pull from if its Pod were created now, and why: the places in order of rank, what is known of each, the verdict. Decides with the function of the webhook, and changes nothing.')
    .argument('[objects...]', 'pod/NAME, or a workload: deploy, sts, ds, rs, job, cronjob')
    .addOption(repeated('-f, --filename <file>', 'manifests with Pods or workloads, or a folder of them; - is standard input'))
    .addOption(repeated('--image <image>', 'an image by itself, as a Pod would name it'))
    .option('-n, --namespace <name>', "of the objects and images, and of manifests that name none; else the context's")
    .addOption(repeated('--as-if <host=state>', 'decide as if a registry were down, throttled, missing (the image), unauthorized or denied'))
    .addOption(configOption('webhook'))
    .addOption(outputOption(['table', 'wide', 'json', 'yaml', 'name'], { name: 'only those of which an image can be pulled from nowhere' }))
    .addHelpText('after', help);
  const read = readArguments<ExplainOptions>(command, args);
  if ('exit' in read) return read.exit;
  const { filename, image } = read.options;
  const asked = [read.args, filename, image].filter(({ length }) => length > 0);
  if (asked.length !== 1) return complain('explain', 'name objects (pod/NAME, deploy/NAME), files (-f) or images (--image): one of the three');
  const { runExplain } = await import('./explain/run.js');
  return runExplain(read.args, read.options);
}

function repeated(flags: string, description: string): Option {
  return new Option(flags, `${description}; may be repeated`).argParser((value: string, before: readonly string[]) => [...before, value]).default([], 'none');
}
