import process from 'node:process';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { ImageRecord } from '../../domain/record.js';
import { usualV1ProxyPort } from '../../domain/v1-proxy.js';
import { RecordsView } from '../../views/records.js';
import { UsageView } from '../../views/usage.js';
import { askCluster } from '../ask-cluster.js';
import { columns } from '../columns.js';
import { complain } from '../command-line.js';
import { imageFilters, type ImagesOptions } from '../images.js';
import { Outage } from '../outage.js';
import { documentText, isData, printDocument } from '../output.js';
import { readUsage, unlessDenied } from '../read-views.js';
import { allOrNone, watchOrFail } from '../watch-or-fail.js';
import { areWell, chosenImages, imagesOfPods, type ListedImage } from './choose.js';
import { headingsOf, imageItem, imageList, namesOf, rowOf } from './report.js';

const v1ProxyPort = usualV1ProxyPort;

export async function runImages(options: ImagesOptions): Promise<number> {
  return askCluster('images', options, async (cluster, signal) => {
    const seen = await look(cluster, options);
    if (typeof seen === 'string') return complain('images', seen);
    complain('images', ...remarksOn(seen, options));
    if (options.watch === true) return watchImages(options, seen, cluster, signal);
    const listed = imagesIn(seen, options);
    await print(listed, options);
    return areWell(listed, options) ? 0 : 2;
  });
}

/** What somebody may see; at least one of the two is there. */
interface Sight {
  readonly records?: readonly ImageRecord[];
  readonly usage?: UsageView;
}

/** @returns why nothing can be answered, with the next step, as a text */
async function look(cluster: Pick<KubernetesCluster, 'list'>, options: ImagesOptions): Promise<Sight | string> {
  const { namespace, selector, watch } = options;
  const [records, usage] = await Promise.all([unlessDenied(() => cluster.list('ImageAvailability')), unlessDenied(() => readUsage(cluster, { v1ProxyPort, namespace }))]);
  const filter = imageFilters.find((name) => options[name] === true);
  const pods = namespace === undefined ? 'Pods of all namespaces' : `Pods of namespace ${namespace}`;
  if (usage === undefined && (records === undefined || namespace !== undefined)) return `you may not list ${pods}: ${namespace === undefined ? 'name a namespace with -n' : 'name another namespace with -n'}, or ask for that right`;
  if (usage === undefined && selector !== undefined) return `you may not list ${pods}, which -l chooses from: name a namespace with -n, leave -l out, or ask for that right`;
  if (records === undefined && filter !== undefined) return `--${filter}: you may not list imageavailabilities, which tell: ask for the verbs get, list and watch on them in API group kuik.enix.io`;
  if (records === undefined && watch === true) return '-w: you may not list imageavailabilities, which are watched: ask for the verbs get, list and watch on them in API group kuik.enix.io';
  return { ...(records === undefined ? {} : { records }), ...(usage === undefined ? {} : { usage }) };
}

function remarksOn({ records, usage }: Sight, { namespace }: ImagesOptions): string[] {
  return [
    ...(usage === undefined ? ['you may not list Pods of all namespaces: which of them use an image is not shown; -n NAMESPACE shows those of one'] : []),
    ...(records === undefined ? [`you may not list imageavailabilities: of the images of ${namespace === undefined ? 'all namespaces' : `namespace ${namespace}`} it is not shown whether they are available, and where their copies are; ask for the verbs get and list on them in API group kuik.enix.io`] : []),
  ];
}

function imagesIn({ records, usage }: Sight, options: ImagesOptions): readonly ListedImage[] {
  if (records !== undefined) return chosenImages(records, usage, options);
  return usage === undefined ? [] : imagesOfPods(usage, v1ProxyPort, options);
}

async function print(listed: readonly ListedImage[], { output }: ImagesOptions): Promise<void> {
  if (isData(output)) return printDocument(imageList(listed), output);
  if (output === 'name') return void process.stdout.write(namesOf(listed));
  if (listed.length === 0) return void process.stderr.write('no image is like that\n');
  process.stdout.write(columns([headingsOf(output), ...listed.map((each) => rowOf(each, output))]));
}

const gatherMs = 200; // a Deployment that rolls out changes many at once

/** Prints every image, and from then on each again whose line is another. */
async function watchImages(options: ImagesOptions, seen: Sight, cluster: Pick<KubernetesCluster, 'watch' | 'watchHealth'>, signal: AbortSignal): Promise<number> {
  const printed = new Map<string, string>();
  const mayListPods = seen.usage !== undefined;
  let timer: NodeJS.Timeout | undefined;
  const onChange = (): void => void (timer ??= setTimeout(() => {
    timer = undefined;
    if (records.isSynced && (usage.isSynced || !mayListPods)) void printChanged(chosenImages(records.snapshot(), mayListPods ? usage : undefined, options), printed, options);
  }, gatherMs));
  const records = new RecordsView(onChange);
  const usage = new UsageView({ v1ProxyPort, onChange });
  const outage = new Outage({ say: (text) => complain('images', text) });
  try {
    await allOrNone(signal, [
      (ended) => watchOrFail(cluster, 'ImageAvailability', (change) => records.apply(change), { signal: ended, outage }),
      ...(mayListPods ? [(ended: AbortSignal) => watchOrFail(cluster, 'Pod', (change) => usage.apply(change), { signal: ended, outage, namespace: options.namespace })] : []),
    ]);
  } finally {
    clearTimeout(timer);
  }
  return 0;
}

async function printChanged(listed: readonly ListedImage[], printed: Map<string, string>, { output }: ImagesOptions): Promise<void> {
  const isFirst = printed.size === 0;
  const changed = listed.filter((each) => printed.get(each.record.name) !== JSON.stringify(imageItem(each)));
  for (const each of changed) printed.set(each.record.name, JSON.stringify(imageItem(each)));
  if (isData(output)) for (const each of changed) process.stdout.write(await documentText(imageList([each]), output, true));
  else if (output === 'name') process.stdout.write(namesOf(changed));
  else process.stdout.write(columns([...(isFirst ? [headingsOf(output)] : []), ...changed.map((each) => rowOf(each, output))]));
}
