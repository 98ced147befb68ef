/** Upload sessions: opened, mounted instead, filled in any of the four modes, asked about, ended. */
import { headerOf, refuse, type Ask, type Reply } from './ask.js';
import type { Manners } from './manners.js';
import { digestOf, type Repository, type Store } from './store.js';

interface Session {
  readonly repository: Repository;
  readonly name: string;
  readonly id: string;
  readonly have: Buffer;
  /** the location that was used is the newest */
  readonly isFresh: boolean;
}

/** @param at `upload-7` or, once bytes are there, `upload-7.100`: each PATCH gives a new location */
export function uploads(store: Store, manners: Manners, ask: Ask, name: string, at: string): Reply {
  if (ask.method === 'POST') return startUpload(store, manners, ask, name);
  if (ask.method === 'GET' && manners.uploadStatus !== undefined) return refuse(manners.uploadStatus);
  const [id = '', offset = '0'] = at.split('.');
  const repository = store.find(name);
  const have = repository?.uploads.get(id);
  if (repository === undefined || have === undefined) return refuse([404, 'BLOB_UPLOAD_UNKNOWN']);
  const session: Session = { repository, name, id, have, isFresh: Number(offset) === have.length };
  switch (ask.method) {
    case 'GET':
      return { status: 204, headers: progress(manners, session, have.length) };
    case 'DELETE':
      return abort(manners, session);
    case 'PATCH':
      return patch(manners, ask, session);
    default:
      return ask.isCut === true ? cut(manners, ask, session) : commit(ask, session);
  }
}

function startUpload(store: Store, manners: Manners, ask: Ask, name: string): Reply {
  if (manners.createsRepositories === false && store.find(name) === undefined) return refuse([404, 'NAME_UNKNOWN']);
  const query = ask.url.searchParams;
  const [mount, from, digest] = [query.get('mount'), query.get('from'), query.get('digest')];
  const mounted = mount === null || from === null ? undefined : store.find(from)?.blobs.get(mount);
  if (mounted !== undefined && mount !== null && manners.mounts !== false) return store.open(name).blobs.set(mount, mounted), created(name, mount);

  if (digest !== null && manners.singlePost !== false) return hold(store.open(name), name, digest, ask.body);
  const id = store.startUpload(name);
  const { minChunk } = manners;
  const chunks = minChunk === undefined ? undefined : { 'oci-chunk-min-length': String(minChunk) };
  return { status: 202, headers: { location: locationOf(manners, name, id, 0), range: '0-0', ...chunks } };
}

function patch(manners: Manners, ask: Ask, session: Session): Reply {
  const { staleLocation = [416, 'BLOB_UPLOAD_INVALID'], gap = [416, 'BLOB_UPLOAD_INVALID'] } = manners;
  if (ask.isCut === true) return cut(manners, ask, session);
  if (!session.isFresh && staleLocation !== 'accepted') return refuse(staleLocation);
  const start = /^(\d+)-\d+$/.exec(headerOf(ask, 'content-range') ?? '')?.[1];
  if (start !== undefined && Number(start) !== session.have.length && gap !== 'appended') return refuse(gap);
  const bytes = Buffer.concat([session.have, ask.body]);
  session.repository.uploads.set(session.id, bytes);
  return { status: manners.patched ?? 202, headers: progress(manners, session, bytes.length) };
}

/** What is left of a session whose client went away in the middle of a body. */
function cut(manners: Manners, ask: Ask, { repository, id, have }: Session): Reply {
  if (manners.cutUpload === 'lost') repository.uploads.delete(id);
  else repository.uploads.set(id, Buffer.concat([have, ask.body]));
  return { status: 0 };
}

function abort(manners: Manners, { repository, id }: Session): Reply {
  if (manners.uploadAbort !== undefined) return refuse(manners.uploadAbort);
  repository.uploads.delete(id);
  return { status: 204 };
}

function commit(ask: Ask, { repository, name, id, have }: Session): Reply {
  const reply = hold(repository, name, ask.url.searchParams.get('digest') ?? '', Buffer.concat([have, ask.body]));
  if (reply.status === 201) repository.uploads.delete(id);
  return reply;
}

function hold(repository: Repository, name: string, digest: string, bytes: Buffer): Reply {
  const [algorithm] = /^(sha256|sha512)(?=:)/.exec(digest) ?? [];
  if (algorithm === undefined || digestOf(bytes, algorithm) !== digest) return refuse([400, 'DIGEST_INVALID']);
  repository.blobs.set(digest, bytes);
  return created(name, digest);
}

function created(name: string, digest: string): Reply {
  return { status: 201, headers: { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest } };
}

function progress(manners: Manners, { name, id }: Session, length: number): Readonly<Record<string, string>> {
  return { location: locationOf(manners, name, id, length), range: `0-${Math.max(0, length - 1)}` };
}

function locationOf(manners: Manners, name: string, id: string, length: number): string {
  return `${manners.locationBase?.() ?? ''}/v2/${name}/blobs/uploads/${id}${length === 0 ? '' : `.${length}`}?_state=opaque%2Fstate%3D`;
}
