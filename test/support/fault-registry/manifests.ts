/** Manifests: shown, pushed. */
import { headerOf, refuse, type Ask, type Reply } from './ask.js';
import { deleteManifest } from './deletion.js';
import { documentOf, type ManifestDocument } from './document.js';
import type { Manners } from './manners.js';
import { digestOf, type FoundManifest, type Repository, type Store } from './store.js';

export function manifests(store: Store, manners: Manners, ask: Ask, name: string, reference: string): Reply {
  if (ask.method === 'PUT') return putManifest(store, manners, ask, name, reference);
  if (ask.method === 'DELETE') return deleteManifest(store.find(name), manners.deletes ?? {}, reference);
  if (ask.method !== 'GET' && ask.method !== 'HEAD') return refuse([405, 'UNSUPPORTED']);
  const found = store.manifest(name, reference) ?? ghostOf(store.find(name), reference);
  if (found === undefined) return refuse([404, store.find(name) === undefined ? 'NAME_UNKNOWN' : 'MANIFEST_UNKNOWN']);
  if (!isAccepted(manners, headerOf(ask, 'accept'), found.mediaType)) return refuse([404, 'MANIFEST_UNKNOWN']);
  if (manners.conditional !== false && headerOf(ask, 'if-none-match')?.includes(found.digest) === true) return { status: 304 };
  return { status: 200, headers: { 'content-type': found.mediaType, 'docker-content-digest': found.digest, etag: `"${found.digest}"` }, body: found.bytes };
}

/** Several registries hide what the client does not accept, as if it were not there. */
function isAccepted({ accept = 'type' }: Manners, header: string | undefined, mediaType: string): boolean {
  if (accept === 'ignored') return true;
  return accept === 'any' ? /manifest|index/.test(header ?? '') : (header ?? '').includes(mediaType);
}

function ghostOf(repository: Repository | undefined, reference: string): FoundManifest | undefined {
  const ghost = repository?.ghosts.get(reference);
  return ghost !== undefined && ghost.left-- > 0 ? { ...ghost.stored, digest: ghost.digest } : undefined;
}

function putManifest(store: Store, manners: Manners, ask: Ask, name: string, reference: string): Reply {
  const [most, ...tooLarge] = manners.manifestLimit ?? [Infinity, 413, 'SIZE_INVALID'];
  if (ask.body.length > most) return refuse(tooLarge);
  const document = documentOf(ask.body);
  const isChecked = manners.checksManifests !== false;
  if (document === undefined && isChecked) return refuse([400, 'MANIFEST_INVALID']);
  if (manners.createsRepositories === false && store.find(name) === undefined) return refuse([404, 'NAME_UNKNOWN']);
  const repository = store.open(name);
  const isTag = !reference.includes(':');
  const digest = isTag || isChecked ? digestOf(ask.body, isTag ? 'sha256' : reference.split(':')[0]) : reference;
  if (!isTag && reference !== digest) return refuse([400, 'DIGEST_INVALID']);
  const refused = refusedBelow(repository, manners, document ?? {});
  if (refused !== undefined) return refused;
  const standing = repository.tags.get(reference);
  if (manners.immutableTags === true && standing !== undefined) return refuse([409, 'TAG_IMMUTABLE']);

  repository.manifests.set(digest, { bytes: ask.body, mediaType: headerOf(ask, 'content-type') ?? '' });
  if (isTag) repository.tags.set(reference, digest);
  for (const each of [reference, digest]) repository.ghosts.delete(each);
  const subject = (manners.referrers ?? true) === true ? document?.subject?.digest : undefined;
  return { status: 201, headers: { location: ask.url.pathname, 'docker-content-digest': digest, ...(subject === undefined ? {} : { 'oci-subject': subject }) } };
}

function refusedBelow(repository: Repository, manners: Manners, document: ManifestDocument): Reply | undefined {
  const isForeign = document.layers?.some(({ urls }) => urls !== undefined && urls.length > 0) === true;
  if (isForeign && manners.foreignLayers !== undefined) return refuse(manners.foreignLayers);
  const children = manners.acceptsSparse === true ? [] : (document.manifests ?? []);
  if (children.some(({ digest }) => !repository.manifests.has(digest))) return refuse(manners.sparseRefusal ?? [400, 'MANIFEST_BLOB_UNKNOWN']);
  const needed = [...(document.config === undefined ? [] : [document.config]), ...(document.layers ?? []).filter(({ urls }) => urls === undefined)];
  const isHollow = manners.acceptsHollow !== true && needed.some(({ digest }) => !repository.blobs.has(digest));
  return isHollow ? refuse([400, 'MANIFEST_BLOB_UNKNOWN']) : undefined;
}
