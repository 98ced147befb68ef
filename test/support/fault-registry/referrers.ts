/** Which manifests point to another with `subject`. */
import { documentOf } from './document.js';
import type { Repository } from './store.js';

/** A descriptor as the referrers API lists it. @see OCI distribution specification 1.1, "Listing Referrers" */
export interface Referrer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function referrersOf(repository: Repository | undefined, subject: string): readonly Referrer[] {
  return [...(repository?.manifests ?? [])].flatMap(([digest, { bytes, mediaType }]) => {
    const document = documentOf(bytes);
    if (document?.subject?.digest !== subject) return [];
    const { annotations, artifactType = document.config?.mediaType } = document;
    return [{ mediaType, digest, size: bytes.length, ...(artifactType === undefined ? {} : { artifactType }), ...(annotations === undefined ? {} : { annotations }) }];
  });
}
