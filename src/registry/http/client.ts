/** The real registry client: the port's verbs over HTTP. */
import { BlobLocations } from '../locations.js';
import type { Registry } from '../registry.js';
import { TagDeleter, type TagDeleterDeps } from '../deletion.js';
import { Asker, type AskerOptions } from './asker.js';
import { CapabilityMemory } from './capabilities.js';
import { Deleter } from './delete.js';
import { FallbackIndexes } from './fallback-indexes.js';
import type { PaceSeen } from './pace/host-pace.js';
import { Publisher } from './publish.js';
import { BlobReader } from './read-blob.js';
import { ManifestReader } from './read-manifest.js';
import { Referrers } from './referrers.js';
import { TagLister } from './tags.js';
import { Uploader } from './upload.js';

export type HttpRegistryOptions = AskerOptions & Pick<TagDeleterDeps, 'readBackMs'>;

/** A registry client with open connections; `close` ends them. */
export interface HttpRegistry extends Registry {
  /** How each registry is treated at this moment: what metrics and people see. */
  pace(): readonly PaceSeen[];
  close(): Promise<void>;
}

/**
 * One client for the whole process: connections, tokens, known blobs and the pace of each registry are shared by
 * everything that uses it.
 */
export function createHttpRegistry(options: HttpRegistryOptions): HttpRegistry {
  const asker = new Asker(options);
  const locations = new BlobLocations();
  const manifests = new ManifestReader(asker, locations);
  const blobs = new BlobReader(asker);
  const uploader = new Uploader(asker, locations, new CapabilityMemory(options.settings, options.clock));
  const referrers = new Referrers(asker, new FallbackIndexes(asker));
  const publisher = new Publisher(asker, manifests, locations, referrers);
  const lister = new TagLister(asker);
  const deleter = new Deleter(asker);
  const verbs: TagDeleterDeps['registry'] = {
    head: (at, as, call) => manifests.head(at, as, call),
    manifest: (at, as, call) => manifests.manifest(at, as, call),
    putBlob: (to, of, source, as, call) => uploader.putBlob(to, of, source, as, call),
    putManifest: (at, manifest, as, call) => publisher.putManifest(at, manifest, as, call),
    tags: (repository, as, call) => lister.tags(repository, as, call),
    deleteManifest: (at, as, call) => deleter.deleteManifest(at, as, call),
  };
  const deleteShared = (host: string): 'block' | 'isolate' => options.settings(host).deleteShared ?? 'block';
  const tagDelete = (host: string): boolean | undefined => options.settings(host).capabilities?.tagDelete;
  const tagDeleter = new TagDeleter({ registry: verbs, deleteShared, tagDelete, readBackMs: options.readBackMs }, (at) => locations.forgetRepository(at));
  return {
    ...verbs,
    blob: (from, of, as, call, offset) => blobs.read(from, of, as, call, offset),
    putManifest: (at, manifest, as, call) => tagDeleter.publishing(at, manifest, call.signal, () => verbs.putManifest(at, manifest, as, call)),
    referrers: (at, as, call, artifactType) => referrers.list(at, as, call, artifactType),
    linkReferrer: (at, manifest, as, call) => referrers.link(at, manifest, as, call),
    deleteTag: (at, guard, as, call) => tagDeleter.deleteTag(at, guard, as, call),
    pace: () => asker.pace(),
    close: () => asker.close(),
  };
}
