import { knownImageRef, parseImageRef } from '../../domain/image-ref.js';
import { mirrorsOf } from '../../domain/image-standing.js';
import type { ImageRecord } from '../../domain/record.js';

/** Images in use with a copy that failed; of one registry when it is named, whichever side of the copy it is on. */
export function failedOf(records: readonly ImageRecord[], registry: string | undefined): readonly ImageRecord[] {
  return records.filter((record) => {
    const failed = mirrorsOf(record).filter(({ failure }) => failure !== undefined);
    const hosts = [record.image, ...failed.map(({ reference }) => reference)].map((text) => parseImageRef(text)?.host);
    return record.paused !== true && record.pods > 0 && failed.length > 0 && (registry === undefined || hosts.includes(hostOf(registry)));
  });
}

/** Docker Hub has two names. */
function hostOf(registry: string): string {
  return parseImageRef(`${registry}/x`) === undefined ? registry : knownImageRef(`${registry}/x`).host;
}

/** Why an image that was named has nothing to copy; undefined when it has. */
export function whyNothingToCopy(record: ImageRecord): string | undefined {
  if (record.paused === true) return `${record.image}: somebody paused it; kuik resume ${record.image} lets it be copied`;
  if (record.pods === 0) return `${record.image}: no Pod uses it, so nothing is copied; start a Pod with it first, or keep the copy that is there with kuik pin ${record.image}`;
  if (mirrorsOf(record).length === 0) return `${record.image}: no rule mirrors it; check spec.filter of your ClusterImageSetMirrors and ImageSetMirrors`;
  return undefined;
}
