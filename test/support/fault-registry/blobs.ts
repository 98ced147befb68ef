/** Blobs: shown whole or in part, redirected, deleted. */
import { headerOf, refuse, type Ask, type Reply } from './ask.js';
import type { Manners } from './manners.js';
import type { Repository, Store } from './store.js';

export function blobs(store: Store, manners: Manners, ask: Ask, name: string, digest: string): Reply {
  const repository = store.find(name);
  const bytes = heldBlob(store, manners, name, digest);
  if (ask.method === 'DELETE') return deleteBlob(repository, manners, digest);
  if (ask.method !== 'GET' && ask.method !== 'HEAD') return refuse([405, 'UNSUPPORTED']);
  if (bytes === undefined) return refuse([404, 'BLOB_UNKNOWN']);
  const target = manners.redirectBlobsTo?.();
  if (target !== undefined && ask.method === 'GET') return { status: 307, headers: { location: `${target}/signed/${name}/${digest}?signature=s3cr3t-signature` } };
  return blobBytes(bytes, digest, ask, manners.serves?.ranges ?? true);
}

/** A blob as this repository shows it. */
function heldBlob(store: Store, { sharesBlobs }: Manners, name: string, digest: string): Buffer | undefined {
  return store.find(name)?.blobs.get(digest) ?? (sharesBlobs === true ? store.anyBlob(digest) : undefined);
}

function deleteBlob(repository: Repository | undefined, manners: Manners, digest: string): Reply {
  const does = manners.deletes?.blob ?? 'blob';
  if (typeof does !== 'string') return refuse(does);
  return repository?.blobs.delete(digest) === true ? { status: 202 } : refuse([404, 'BLOB_UNKNOWN']);
}

/** Object storage: knows no accounts, serves whoever holds a signed address. */
export function signedBlob(store: Store, ask: Ask): Reply {
  const [, name = '', digest = ''] = /^\/signed\/(.+)\/([^/]+)$/.exec(ask.url.pathname) ?? [];
  const bytes = store.find(name)?.blobs.get(digest);
  // object storage answers so when a signed URL comes with credentials
  if (ask.headers.authorization !== undefined) return { status: 400 };
  return bytes === undefined ? { status: 404 } : blobBytes(bytes, digest, ask, true);
}

/** @see RFC 9110, section 14 */
function blobBytes(bytes: Buffer, digest: string, ask: Ask, ranges: NonNullable<NonNullable<Manners['serves']>['ranges']>): Reply {
  const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': digest };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headerOf(ask, 'range') ?? '') ?? [];
  if (from === undefined || ranges === false) return { status: 200, headers, body: bytes };
  const [start, end] = [Number(from), to === '' ? bytes.length - 1 : Math.min(Number(to), bytes.length - 1)];
  const isBeyond = start >= bytes.length;
  if (isBeyond && ranges === 'short') return { status: 416, headers: { 'content-length': String(bytes.length), connection: 'close' }, body: Buffer.from('invalid range: failed to overlap\n') };
  if (isBeyond || (ranges === 'closed' && to === '')) return { status: 416 };
  return { status: 206, headers: { ...headers, 'content-range': `bytes ${start}-${end}/${bytes.length}` }, body: bytes.subarray(start, end + 1) };
}
