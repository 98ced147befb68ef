/** `kuik images`: every image, its places and its users. */
import { Command } from 'commander';
import { parseSelector } from '../domain/selector.js';
import { complain, outputOption, readArguments, withClusterOptions, type ClusterChoice } from './command-line.js';

export const imageFilters = ['unavailable', 'unused', 'unmirrored', 'drifted'] as const;
export type ImageFilterName = (typeof imageFilters)[number];

export interface ImagesOptions extends ClusterChoice {
  readonly unavailable?: boolean;
  readonly unused?: boolean;
  readonly unmirrored?: boolean;
  readonly drifted?: boolean;
  /** only images that Pods of this namespace use */
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  /** only images of Pods with these labels */
  readonly selector?: string;
  readonly watch?: boolean;
  readonly output: 'table' | 'wide' | 'json' | 'yaml' | 'name';
}

const help = `
Examples:
  kuik images
  kuik images --unmirrored -n shop
  kuik images --unavailable -o wide
  kuik images --drifted -o name | xargs kuik retry

Exit status: 0 all is well, 1 failed, 2 an image in use can be pulled from nowhere, or --unavailable, --unmirrored or --drifted found one, 130 interrupted`;

/** @returns 0 all is well, 1 failed, 2 an image is as it should not be, 130 interrupted */
export async function images(args: readonly string[]): Promise<number> {
  const command = withClusterOptions(new Command('kuik images'))
    .usage('[--unavailable | --unused | --unmirrored | --drifted] [options]')
    .allowExcessArguments()
    .description('Every image in use, or of which copies are kept: whether its origin answers, its copies, the Pods that use it, and what is wrong with it.')
    .option('--unavailable', 'only images whose origin cannot be pulled from')
    .option('--unused', 'only images that no Pod uses')
    .option('--unmirrored', 'only images in use that lack a copy, or that no rule mirrors')
    .option('--drifted', 'only images with a tag that moved, at the origin or the copy, since they were copied')
    .option('-n, --namespace <name>', 'only images that Pods of this namespace use')
    .option('-A, --all-namespaces', 'images of all namespaces, as without -n')
    .option('-l, --selector <labels>', 'only images of Pods with these labels')
    .option('-w, --watch', 'go on, and print what changes; while the API server is away, say so and look again')
    .addOption(outputOption(['table', 'wide', 'json', 'yaml', 'name']))
    .addHelpText('after', help);
  const read = readArguments<ImagesOptions>(command, args);
  if ('exit' in read) return read.exit;
  const { options, args: more } = read;
  if (more.length > 0) return complain('images', `${more[0]}: takes no image; kuik describe ${more[0]} tells all about one`);
  if (imageFilters.filter((name) => options[name] === true).length > 1) return complain('images', `choose one of ${imageFilters.map((name) => `--${name}`).join(', ')}`);
  if (options.namespace !== undefined && options.allNamespaces === true) return complain('images', '-n names one namespace and -A all of them; leave one out');
  if (options.selector !== undefined && parseSelector(options.selector) === undefined) return complain('images', `-l ${options.selector}: not a label selector; write it as for kubectl, such as app=web,tier!=cache`);
  const { runImages } = await import('./images/run.js');
  return runImages(options);
}
