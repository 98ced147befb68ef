import process from 'node:process';
import { annotations } from '../../domain/names.js';
import type { ImageRecord } from '../../domain/record.js';
import { askCluster } from '../ask-cluster.js';
import { columns } from '../columns.js';
import { cliVersion, complain } from '../command-line.js';
import type { PinnedImageList } from '../documents/requests.js';
import { findImages, recordText } from '../find-images.js';
import { isData, printDocument } from '../output.js';
import type { PinOptions } from '../pin.js';

/** @param until value of the annotation; undefined takes it off */
export async function runPin(name: 'pin' | 'unpin', images: readonly string[], options: PinOptions, until: string | undefined): Promise<number> {
  return askCluster(name, options, async (cluster) => {
    const { records, problems } = await findImages(images, cluster);
    if (problems.length > 0) return complain(name, ...problems); // nothing is pinned when one of several cannot be
    const pinned: ImageRecord[] = [];
    for (const record of records) pinned.push(await pinOne(record));
    await print(pinned, options);
    return 0;

    async function pinOne(record: ImageRecord): Promise<ImageRecord> {
      const asked = { [annotations.keepUntil]: until };
      if (options.dryRun === 'client') return { ...record, keepUntil: until };
      return cluster.annotateRecord(record.image, asked, { dryRun: options.dryRun === 'server' });
    }
  });
}

async function print(records: readonly ImageRecord[], { output, dryRun }: PinOptions): Promise<void> {
  if (isData(output)) return printDocument({ apiVersion: cliVersion, kind: 'PinnedImageList', items: records.map(itemOf) } satisfies PinnedImageList, output);
  if (output === 'name') return void process.stdout.write(records.map((record) => `${recordText(record)}\n`).join(''));
  const note = dryRun === 'none' ? [] : [`(${dryRun} dry run)`];
  const wide = (...texts: readonly string[]): readonly string[] => (output === 'wide' ? texts : []);
  const rows = records.map((record) => [record.image, [keptText(record.keepUntil), ...note].join(' '), String(record.pods), ...wide(record.name, record.expiresAt ?? '')]);
  process.stdout.write(columns([['IMAGE', 'KEPT', 'PODS', ...wide('RECORD', 'EXPIRES')], ...rows]));
}

function itemOf({ image, name, pods, keepUntil }: ImageRecord): PinnedImageList['items'][number] {
  return { image, record: name, pods, ...(keepUntil === undefined ? {} : { keepUntil }) };
}

function keptText(keepUntil: string | undefined): string {
  if (keepUntil === undefined) return 'as its retention says';
  return keepUntil === 'forever' ? 'for ever' : `until ${keepUntil}`;
}
