/** An honest registry: the OCI distribution specification over a store. */
import { digestOf, type Repository, type Store } from './store.js';

export interface Ask {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** In what honest registries differ. */
export interface Manners {
  /** an index may be pushed without its children */
  readonly acceptsSparse?: boolean;
  readonly mounts?: boolean;
  readonly serves?: { readonly ranges?: boolean };
  /** blobs are redirected to another origin */
  readonly redirectBlobsTo?: () => string;
  /** absolute upload locations, relative ones unless told */
  readonly locationBase?: () => string;
  readonly immutableTags?: boolean;
  /** repositories must be made before */
  readonly createsRepositories?: boolean;
}

export function serve(store: Store, manners: Manners, ask: Ask): Reply {
  const path = ask.url.pathname;
  const manifest = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(path);
  if (manifest) return manifests(store, manners, ask, manifest[1]!, manifest[2]!);
  const upload = /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/.exec(path);
  if (upload) return uploads(store, manners, ask, upload[1]!, upload[2]!);
  const blob = /^\/v2\/(.+)\/blobs\/([^/]+)$/.exec(path);
  if (blob) return blobs(store, manners, ask, blob[1]!, blob[2]!);
  const tags = /^\/v2\/(.+)\/tags\/list$/.exec(path);
  if (tags) return listTags(store.find(tags[1]!), ask);
  return { status: path === '/v2/' ? 200 : 404 };
}

function manifests(store: Store, manners: Manners, ask: Ask, name: string, reference: string): Reply {
  if (ask.method === 'PUT') return putManifest(store, manners, ask, name, reference);
  if (ask.method === 'DELETE') return { status: store.find(name)?.tags.delete(reference) === true ? 202 : 404 };
  const found = store.manifest(name, reference);
  // as distribution does: what the client does not accept is not there
  if (found === undefined || !String(ask.headers.accept ?? '').includes(found.mediaType)) return error(404, 'MANIFEST_UNKNOWN');
  return { status: 200, headers: { 'content-type': found.mediaType, 'docker-content-digest': found.digest }, body: found.bytes };
}

function putManifest(store: Store, manners: Manners, ask: Ask, name: string, reference: string): Reply {
  const repository = store.open(name);
  const digest = digestOf(ask.body);
  const isTag = !reference.includes(':');
  if (!isTag && reference !== digest) return error(400, 'DIGEST_INVALID');
  if (absentBelow(repository, manners, ask.body)) return error(400, 'MANIFEST_BLOB_UNKNOWN');
  const standing = repository.tags.get(reference);
  if (manners.immutableTags === true && standing !== undefined) return error(409, 'TAG_IMMUTABLE');
  repository.manifests.set(digest, { bytes: ask.body, mediaType: String(ask.headers['content-type']) });
  if (isTag) repository.tags.set(reference, digest);
  return { status: 201, headers: { location: ask.url.pathname, 'docker-content-digest': digest } };
}

function absentBelow(repository: Repository, manners: Manners, bytes: Buffer): boolean {
  const document = JSON.parse(bytes.toString()) as { manifests?: { digest: string }[]; config?: { digest: string }; layers?: { digest: string }[] };
  const blobs = [...(document.config === undefined ? [] : [document.config]), ...(document.layers ?? [])];
  const children = manners.acceptsSparse === true ? [] : (document.manifests ?? []);
  return blobs.some(({ digest }) => !repository.blobs.has(digest)) || children.some(({ digest }) => !repository.manifests.has(digest));
}

function blobs(store: Store, manners: Manners, ask: Ask, name: string, digest: string): Reply {
  const bytes = store.find(name)?.blobs.get(digest);
  if (bytes === undefined) return error(404, 'BLOB_UNKNOWN');
  const target = manners.redirectBlobsTo?.();
  if (target !== undefined && ask.method === 'GET') return { status: 307, headers: { location: `${target}/signed/${name}/${digest}?signature=s3cr3t-signature` } };
  return blobBytes(bytes, digest, ask, manners.serves?.ranges !== false);
}

export function blobBytes(bytes: Buffer, digest: string, ask: Ask, hasRanges: boolean): Reply {
  const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': digest };
  const from = /^bytes=(\d+)-$/.exec(String(ask.headers.range ?? ''))?.[1];
  if (from === undefined || !hasRanges) return { status: 200, headers, body: bytes };
  const start = Number(from);
  if (start >= bytes.length) return { status: 416 };
  return { status: 206, headers: { ...headers, 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }, body: bytes.subarray(start) };
}

function uploads(store: Store, manners: Manners, ask: Ask, name: string, id: string): Reply {
  if (ask.method === 'POST') return startUpload(store, manners, ask, name);
  const repository = store.find(name);
  const have = repository?.uploads.get(id);
  if (repository === undefined || have === undefined) return error(404, 'BLOB_UPLOAD_UNKNOWN');
  const location = locationOf(manners, name, id);
  switch (ask.method) {
    case 'GET':
      return { status: 204, headers: { location, range: `0-${Math.max(0, have.length - 1)}` } };
    case 'DELETE':
      repository.uploads.delete(id);
      return { status: 204 };
    case 'PATCH':
      repository.uploads.set(id, Buffer.concat([have, ask.body]));
      return { status: 202, headers: { location, range: `0-${have.length + ask.body.length - 1}` } };
    default:
      return commit(repository, ask, id, Buffer.concat([have, ask.body]));
  }
}

function commit(repository: Repository, ask: Ask, id: string, bytes: Buffer): Reply {
  const digest = ask.url.searchParams.get('digest') ?? '';
  if (digestOf(bytes, digest.split(':')[0]) !== digest) return error(400, 'DIGEST_INVALID');
  repository.uploads.delete(id);
  repository.blobs.set(digest, bytes);
  return { status: 201, headers: { location: `/v2/blobs/${digest}`, 'docker-content-digest': digest } };
}

function startUpload(store: Store, manners: Manners, ask: Ask, name: string): Reply {
  if (manners.createsRepositories === false && store.find(name) === undefined) return error(404, 'NAME_UNKNOWN');
  const mount = ask.url.searchParams.get('mount');
  const from = ask.url.searchParams.get('from');
  const bytes = mount === null || from === null ? undefined : store.find(from)?.blobs.get(mount);
  if (bytes !== undefined && mount !== null && manners.mounts !== false) {
    store.open(name).blobs.set(mount, bytes);
    return { status: 201, headers: { location: `/v2/${name}/blobs/${mount}`, 'docker-content-digest': mount } };
  }
  const id = store.startUpload(name);
  return { status: 202, headers: { location: locationOf(manners, name, id), range: '0-0' } };
}

function locationOf(manners: Manners, name: string, id: string): string {
  return `${manners.locationBase?.() ?? ''}/v2/${name}/blobs/uploads/${id}?_state=opaque%2Fstate%3D`;
}

function listTags(repository: Repository | undefined, ask: Ask): Reply {
  if (repository === undefined) return error(404, 'NAME_UNKNOWN');
  const n = Number(ask.url.searchParams.get('n') ?? 100);
  const last = ask.url.searchParams.get('last') ?? '';
  const rest = [...repository.tags.keys()].sort().filter((tag) => tag > last);
  const tags = rest.slice(0, n);
  const link = rest.length > n ? { link: `<${ask.url.pathname}?n=${n}&last=${tags.at(-1) ?? ''}>; rel="next"` } : undefined;
  return { status: 200, headers: { 'content-type': 'application/json', ...link }, body: Buffer.from(JSON.stringify({ name: 'x', tags })) };
}

function error(status: number, code: string): Reply {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify({ errors: [{ code, message: `test says ${code}` }] })) };
}
