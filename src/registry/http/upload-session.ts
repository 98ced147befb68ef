/** The requests of an upload: is it there, mount it, open a session, send, ask how far it got, complete, abandon. */
import type { Failure } from '../../domain/failure.js';
import type { Repository } from '../../domain/image-ref.js';
import type { Call, Credential, Descriptor, Identity } from '../registry.js';
import { headerOf, type Answer } from './answer.js';
import type { Asker } from './asker.js';
import { within } from './patience.js';
import type { Request } from './request.js';
import { failure, failureOfError } from './errors.js';
import type { Body } from './exchange.js';
import { commitMs } from './feed.js';
import { readScope, writeScope } from './scope.js';
import { heldBytes, uploadLocation, withDigest } from './upload-location.js';
import { absentRepository, refusedName, refusedWrite } from './write-refusal.js';

/** An open upload: where its bytes go, and with which credential it was opened. */
export interface Session {
  /** the newest one: a registry may give another with every answer, and refuse the old one */
  readonly location: URL;
  readonly as: Identity;
  /** `OCI-Chunk-Min-Length`: no chunk but the last may be smaller */
  readonly leastChunkBytes: number;
}

/** Which blob goes where, on whose behalf. */
export interface Upload {
  readonly to: Repository;
  readonly of: Descriptor;
  readonly as: Identity;
  readonly call: Call;
}

/** What became of bytes that were sent. */
export type Sent =
  | { readonly outcome: 'taken'; readonly session: Session }
  /** the session ended, or stands elsewhere than we think */
  | { readonly outcome: 'lost'; readonly failure: Failure };

/** What a registry answers to an abandoned session is not worth a longer wait. */
const abandonMs = 5000;
const octets = { 'content-type': 'application/octet-stream' };

export class UploadSessions {
  constructor(readonly asker: Asker) {}

  async exists({ to, of, as, call }: Upload): Promise<boolean> {
    const request: Request = { ...blobRequest('HEAD', to, of), path: `${to.path}/blobs/${of.digest}`, tryNextOn: [401, 403] };
    return this.asker.use(request, as, call, (answer) => {
      if (answer.status === 200) return true;
      if (answer.status === 404 || answer.status === 405 || answer.status >= 500) return false;
      throw this.asker.refusal(answer, request, call);
    });
  }

  /** @returns `mounted`; an open session where the registry would rather have the bytes; undefined when it refuses */
  async mount(upload: Upload, from: string): Promise<'mounted' | Session | undefined> {
    const { to, of, as, call } = upload;
    const query = new URLSearchParams({ mount: of.digest, from });
    // one token for both: write here first, read there second
    const request: Request = { ...blobRequest('POST', to, of), path: `${uploadsPath(to)}?${query.toString()}`, scopes: [writeScope(to), readScope({ path: from })], opens: true };
    return this.#orLate(request, upload, this.asker.use(request, as, call, (answer) => {
      if (answer.status === 201) return 'mounted';
      if (answer.status === 429) throw this.asker.refusal(answer, request, call);
      return answer.status === 202 ? this.#opened(answer, request, upload) : undefined;
    }));
  }

  async open(upload: Upload): Promise<Session> {
    const { to, of, as, call } = upload;
    const query = of.digest.startsWith('sha256:') ? '' : '?digest-algorithm=sha512';
    const request: Request = { ...blobRequest('POST', to, of), path: `${uploadsPath(to)}${query}`, opens: true };
    return this.#orLate(request, upload, this.asker.use(request, as, call, (answer) => {
      if (answer.status === 202) return this.#opened(answer, request, upload);
      throw this.#refusedPost(answer, request, upload);
    }));
  }

  /** A small blob in one request. @returns `done`; a session where the bytes were ignored; undefined when this is refused */
  async post(upload: Upload, bytes: Uint8Array): Promise<'done' | Session | undefined> {
    const { to, of, as, call } = upload;
    const request: Request = { ...blobRequest('POST', to, of), path: `${uploadsPath(to)}?digest=${encodeURIComponent(of.digest)}`, headers: octets, body: { bytes }, opens: true };
    return this.#orLate(request, upload, this.asker.use(request, as, call, (answer) => {
      if (answer.status === 201) return (this.#checkDigest(answer, request, upload), 'done');
      if (answer.status === 202) return this.#opened(answer, request, upload);
      if ([401, 403, 404, 429].includes(answer.status)) throw this.#refusedPost(answer, request, upload);
      return undefined;
    }));
  }

  /** Sends bytes that do not complete the blob. @param range of the blob, unless it is sent as it comes */
  async patch(session: Session, upload: Upload, body: Body, sent: { readonly from: number; readonly until: number; readonly isStream?: boolean }): Promise<Sent> {
    const { to, of, call } = upload;
    const { from, until, isStream = false } = sent;
    const request: Request = {
      ...sending('PATCH', to, of, body),
      path: session.location,
      headers: { ...octets, ...(isStream ? {} : { 'content-range': `${from}-${until - 1}` }) },
    };
    return this.asker.use(request, session.as, call, (answer) => {
      // ECR says 201
      if (![201, 202, 204].includes(answer.status)) return this.#notTaken(answer, request, call);
      const held = heldBytes(answer.headers);
      if (held === undefined || held === until) return { outcome: 'taken', session: { ...session, location: uploadLocation(answer) ?? session.location } };
      throw failure('corrupt', `${request.what}: ${call.side} ${to.host} holds ${held} bytes after ${until} were sent`, request, call);
    });
  }

  /** Completes the blob. The caller holds the place among uploads. */
  async put(session: Session, upload: Upload, body: Body): Promise<Sent> {
    const { to, of, call } = upload;
    const request: Request = { ...sending('PUT', to, of, body), path: withDigest(session.location, of.digest), headers: octets };
    return this.asker.use(request, session.as, call, (answer) => {
      if (![201, 202, 204].includes(answer.status)) return this.#notTaken(answer, request, call);
      this.#checkDigest(answer, request, upload);
      return { outcome: 'taken', session };
    });
  }

  /** How far an upload got. @returns `lost` unless the registry knows exactly */
  async status(session: Session, { to, of, call }: Upload): Promise<{ readonly session: Session; readonly held: number } | 'lost'> {
    const request: Request = { ...blobRequest('GET', to, of), path: session.location };
    return this.asker.use(request, session.as, call, (answer) => {
      if (answer.status === 401 || answer.status === 429) throw this.asker.refusal(answer, request, call);
      const held = answer.status === 204 ? heldBytes(answer.headers) : undefined;
      // `0-0` stands for nothing as well as for one byte
      return held === undefined || held === 1 ? 'lost' : { session: { ...session, location: uploadLocation(answer) ?? session.location }, held };
    });
  }

  /** Tells the registry that no more comes; what it answers does not matter. */
  abandon(session: Session, { to, call }: Pick<Upload, 'to' | 'call'>): void {
    const request: Request = { method: 'DELETE', host: to.host, path: session.location, what: `upload to ${to.path}`, scopes: [writeScope(to)], lane: 'metadata', once: true };
    void this.asker.use(request, session.as, { ...call, signal: AbortSignal.timeout(abandonMs) }, () => undefined).catch(() => undefined);
  }

  /** Whoever gives up does not wait; a session that opens all the same is closed when its answer comes. */
  async #orLate<T extends Session | string | undefined>(request: Request, upload: Upload, opening: Promise<T>): Promise<T> {
    const { call } = upload;
    try {
      return await within(opening, call.signal);
    } catch (error) {
      if (!call.signal.aborted) throw error;
      opening.then((late) => (typeof late === 'object' ? this.abandon(late, upload) : undefined), () => undefined);
      throw failureOfError(error, request, call);
    }
  }

  #opened(answer: Answer, request: Request, { as, call }: Upload): Session {
    const location = uploadLocation(answer);
    if (location === undefined) throw failure('invalid', `${request.what}: ${call.side} ${request.host} opened an upload without a usable location`, request, call);
    const least = Number(headerOf(answer.headers, 'oci-chunk-min-length'));
    return { location, as: onlyThe(answer.credential, as), leastChunkBytes: Number.isSafeInteger(least) ? Math.max(0, least) : 0 };
  }

  #refusedPost(answer: Answer, request: Request, { to, call }: Upload): unknown {
    if (answer.status === 404) return absentRepository(to, request, call);
    const refused = refusedWrite(this.asker, answer, request, call);
    return refusedName(to, answer, refused, request, call) ?? refused;
  }

  #notTaken(answer: Answer, request: Request, call: Call): Sent {
    const refused = refusedWrite(this.asker, answer, request, call);
    const isLost = answer.status === 404 || answer.status === 416 || answer.errors.some(({ code }) => code.startsWith('BLOB_UPLOAD_'));
    if (isLost) return { outcome: 'lost', failure: refused };
    throw refused;
  }

  #checkDigest(answer: Answer, request: Request, { of, to, call }: Upload): void {
    const digest = headerOf(answer.headers, 'docker-content-digest');
    if (digest !== undefined && digest !== of.digest) throw failure('corrupt', `${request.what} became ${digest.slice(0, 80)} on ${call.side} ${to.host}`, request, call);
  }
}

/** Whoever opened a session continues it. */
function onlyThe(credential: Credential | undefined, as: Identity): Identity {
  return credential === undefined ? as : [credential];
}

function blobRequest(method: 'HEAD' | 'GET' | 'POST' | 'PUT' | 'PATCH', to: Repository, of: Descriptor): Omit<Request, 'path'> {
  return { method, host: to.host, what: `blob ${of.digest} of ${to.path}`, scopes: [writeScope(to)], lane: 'metadata' };
}

/** Bytes are sent once: whoever sent them asks what became of them before it sends them again. */
function sending(method: 'PUT' | 'PATCH', to: Repository, of: Descriptor, body: Body): Omit<Request, 'path'> {
  // the timer of undici also runs while a body is sent: a stream is watched by its feed instead
  return { ...blobRequest(method, to, of), lane: 'upload', isPlaceHeld: true, body, once: true, headersTimeoutMs: 'bytes' in body ? commitMs : 0 };
}

function uploadsPath(to: Repository): string {
  return `${to.path}/blobs/uploads/`;
}
