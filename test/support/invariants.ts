/** What must hold whatever was broken, checked by looking at bytes and never with our own client. */
import { createHash } from 'node:crypto';
import type { Store } from './fault-registry/store.js';

interface Document {
  readonly manifests?: readonly Named[];
  readonly config?: Named;
  readonly layers?: readonly Named[];
}
interface Named {
  readonly digest: string;
  readonly size: number;
}

/**
 * Tag visible means complete: everything below a tag is there and is what it is called.
 *
 * @returns what is wrong, in words; nothing when all is well
 */
export function brokenTags(store: Store, repository: string): readonly string[] {
  const tags = [...(store.find(repository)?.tags ?? [])];
  return tags.flatMap(([tag, digest]) => brokenManifest(store, repository, digest).map((what) => `${repository}:${tag}: ${what}`));
}

function brokenManifest(store: Store, repository: string, digest: string, size?: number): readonly string[] {
  const bytes = store.find(repository)?.manifests.get(digest)?.bytes;
  const wrong = brokenBytes('manifest', bytes, digest, size);
  if (bytes === undefined || wrong.length > 0) return wrong;
  const { manifests = [], config, layers = [] } = JSON.parse(bytes.toString()) as Document;
  const blobs = [...(config === undefined ? [] : [config]), ...layers];
  return [
    ...manifests.flatMap((child) => brokenManifest(store, repository, child.digest, child.size)),
    ...blobs.flatMap((blob) => brokenBytes('blob', store.find(repository)?.blobs.get(blob.digest), blob.digest, blob.size)),
  ];
}

function brokenBytes(what: string, bytes: Buffer | undefined, digest: string, size?: number): readonly string[] {
  if (bytes === undefined) return [`${what} ${digest} is absent`];
  if (size !== undefined && bytes.length !== size) return [`${what} ${digest} has ${bytes.length} bytes, not ${size}`];
  const is = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return is === digest ? [] : [`${what} ${digest} is ${is}`];
}
