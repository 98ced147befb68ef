import { parseImageRef } from '../../domain/image-ref.js';
import { mirrorsOf, standingOf } from '../../domain/image-standing.js';
import type { ImageRecord } from '../../domain/record.js';
import { registryHost } from '../registry-host.js';

/** What is asked for an image: its copies once more or, where nothing of it is to be copied, another check of where it comes from. */
export interface Chosen {
  readonly record: ImageRecord;
  readonly what: 'copies' | 'check';
}

/**
 * Images in use with a copy that failed, and those that are only monitored and could not be pulled when they were checked.
 *
 * @param registry `host[:port]`: only what comes from or goes to it, a copy has two sides
 */
export function failedOf(records: readonly ImageRecord[], registry: string | undefined): readonly Chosen[] {
  return records.flatMap((record) => {
    const what = whatFailed(record);
    return what !== undefined && (registry === undefined || hostsOf(record).includes(registryHost(registry))) ? [{ record, what }] : [];
  });
}

function whatFailed(record: ImageRecord): Chosen['what'] | undefined {
  if (record.pods === 0) return undefined;
  if (failedCopies(record).length > 0) return record.paused === true ? undefined : 'copies';
  return isOnlyTracked(record) && standingOf(record).origin === 'unavailable' ? 'check' : undefined;
}

function failedCopies(record: ImageRecord): ReturnType<typeof mirrorsOf> {
  return mirrorsOf(record).filter(({ failure }) => failure !== undefined);
}

function hostsOf(record: ImageRecord): readonly (string | undefined)[] {
  return [record.image, ...failedCopies(record).map(({ reference }) => reference)].map((text) => parseImageRef(text)?.host);
}

/**
 * What to ask for an image that was named.
 *
 * @returns why there is nothing to ask for, with the next step, as a text
 */
export function chosenBy(command: 'retry' | 'mirror', record: ImageRecord): Chosen | string {
  if (command === 'retry' && isOnlyTracked(record)) return { record, what: 'check' };
  return whyNothingToCopy(command, record) ?? { record, what: 'copies' };
}

function whyNothingToCopy(command: 'retry' | 'mirror', record: ImageRecord): string | undefined {
  const { image } = record;
  if (record.paused === true) return `${image}: somebody paused it; kuik resume ${image} lets it be copied`;
  if (record.pods === 0) return `${image}: no Pod uses it, so nothing is copied; start a Pod with it first, or keep the copy that is there with kuik pin ${image}`;
  if (mirrorsOf(record).length > 0) return undefined;
  if (command === 'mirror' && isTracked(record)) return `${image}: no rule mirrors it, it is only monitored; check spec.filter of your ClusterImageSetMirrors and ImageSetMirrors, or have it checked now with kuik retry ${image}`;
  return `${image}: no rule mirrors or monitors it; check spec.filter of your ClusterImageSetMirrors, ImageSetMirrors and ClusterImageSetAvailabilities`;
}

/** Nothing of it is to be copied, and somebody wants to know whether it can be pulled. */
function isOnlyTracked(record: ImageRecord): boolean {
  return isTracked(record) && (record.pods === 0 || mirrorsOf(record).length === 0);
}

function isTracked({ trackedBy = [] }: ImageRecord): boolean {
  return trackedBy.length > 0;
}
