import process from 'node:process';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import { isFailure } from '../../domain/failure.js';
import { usualV1ProxyPort } from '../../domain/v1-proxy.js';
import { RecordsView } from '../../views/records.js';
import { UsageView } from '../../views/usage.js';
import { askCluster } from '../ask-cluster.js';
import { columns } from '../columns.js';
import { complain } from '../command-line.js';
import type { ImagesOptions } from '../images.js';
import { documentText, isData, printDocument } from '../output.js';
import { readUsage } from '../read-views.js';
import { areWell, chosenImages, type ListedImage } from './choose.js';
import { headingsOf, imageItem, imageList, namesOf, rowOf } from './report.js';

export async function runImages(options: ImagesOptions): Promise<number> {
  return askCluster('images', options, async (cluster, signal) => {
    if (options.watch === true) return watchImages(options, cluster, signal);
    const [records, usage] = await Promise.all([cluster.list('ImageAvailability'), usageOrNothing(cluster, options)]);
    if (usage === 'denied') return 1;
    const listed = chosenImages(records, usage, options);
    await print(listed, options);
    return areWell(listed, options) ? 0 : 2;
  });
}

/** Who may read records and no Pods still learns of the images. @returns `denied` after saying so, where Pods decide what is listed */
async function usageOrNothing(cluster: Pick<KubernetesCluster, 'list'>, { namespace, selector }: ImagesOptions): Promise<UsageView | undefined | 'denied'> {
  try {
    return await readUsage(cluster, { v1ProxyPort: usualV1ProxyPort });
  } catch (error) {
    if (!isFailure(error) || error.code !== 'denied') throw error;
    const isNeeded = namespace !== undefined || selector !== undefined;
    complain('images', `you may not list Pods: ${isNeeded ? 'leave -n and -l out, or ask for that right' : 'which of them use an image is not shown'}`);
    return isNeeded ? 'denied' : undefined;
  }
}

async function print(listed: readonly ListedImage[], { output }: ImagesOptions): Promise<void> {
  if (isData(output)) return printDocument(imageList(listed), output);
  if (output === 'name') return void process.stdout.write(namesOf(listed));
  if (listed.length === 0) return void process.stderr.write('no image is like that\n');
  process.stdout.write(columns([headingsOf(output), ...listed.map((each) => rowOf(each, output))]));
}

const gatherMs = 200; // a Deployment that rolls out changes many at once

/** Prints every image, and from then on each again whose line is another. */
async function watchImages(options: ImagesOptions, cluster: Pick<KubernetesCluster, 'watch'>, signal: AbortSignal): Promise<number> {
  const printed = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  const onChange = (): void => void (timer ??= setTimeout(() => {
    timer = undefined;
    if (records.isSynced && usage.isSynced) void printChanged(chosenImages(records.snapshot(), usage, options), printed, options);
  }, gatherMs));
  const records = new RecordsView(onChange);
  const usage = new UsageView({ v1ProxyPort: usualV1ProxyPort, onChange });
  await Promise.all([
    cluster.watch('ImageAvailability', (change) => records.apply(change), signal),
    cluster.watch('Pod', (change) => usage.apply(change), signal),
  ]);
  clearTimeout(timer);
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
