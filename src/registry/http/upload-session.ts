/** The requests of an upload: is it there, mount it, open a session, commit, abandon. */
import type { Repository } from '../../domain/image-ref.js';
import type { BlobOutcome, Call, Credential, Descriptor, Identity } from '../registry.js';
import { headerOf, type Answer } from './answer.js';
import type { Asker, Request } from './asker.js';
import { failure } from './errors.js';
import type { Body } from './exchange.js';
import { commitMs } from './feed.js';
import { readScope, writeScope } from './scope.js';

/** An open upload: where its bytes go, and with which credential it was opened. */
export interface Session {
  readonly location: URL;
  readonly as: Identity;
}

/** What a registry answers to an abandoned session is not worth a longer wait. */
const abandonMs = 5000;

export class UploadSessions {
  constructor(readonly asker: Asker) {}

  async exists(to: Repository, of: Descriptor, as: Identity, call: Call): Promise<boolean> {
    const request: Request = { ...blobRequest('HEAD', to, of), path: `${to.path}/blobs/${of.digest}`, tryNextOn: [401, 403] };
    return this.asker.use(request, as, call, (answer) => {
      if (answer.status === 200) return true;
      if (answer.status === 404 || answer.status === 405 || answer.status >= 500) return false;
      throw this.asker.refusal(answer, request, call);
    });
  }

  /** @returns `mounted`; an open session where the registry would rather have the bytes; undefined when it refuses */
  async mount(to: Repository, of: Descriptor, from: string, as: Identity, call: Call): Promise<Extract<BlobOutcome, 'mounted'> | Session | undefined> {
    const query = new URLSearchParams({ mount: of.digest, from });
    // one token for both: write here first, read there second
    const request: Request = { ...blobRequest('POST', to, of), path: `${uploadsPath(to)}?${query.toString()}`, scopes: [writeScope(to), readScope({ path: from })] };
    return this.asker.use(request, as, call, (answer) => {
      if (answer.status === 201) return 'mounted';
      if (answer.status === 429) throw this.asker.refusal(answer, request, call);
      return answer.status === 202 ? this.#sessionOf(answer, request, as, call) : undefined;
    });
  }

  async open(to: Repository, of: Descriptor, as: Identity, call: Call): Promise<Session> {
    const query = of.digest.startsWith('sha256:') ? '' : '?digest-algorithm=sha512';
    const request: Request = { ...blobRequest('POST', to, of), path: `${uploadsPath(to)}${query}` };
    return this.asker.use(request, as, call, (answer) => {
      if (answer.status === 404) throw failure('missing', `repository ${to.path} missing on ${call.side} ${to.host}: create it there`, request, call);
      if (answer.status !== 202) throw this.asker.refusal(answer, request, call);
      return this.#sessionOf(answer, request, as, call);
    });
  }

  /** Sends all bytes and completes the blob. The caller holds the place among uploads. */
  async commit(session: Session, to: Repository, of: Descriptor, body: Body, call: Call): Promise<void> {
    const request: Request = {
      ...blobRequest('PUT', to, of),
      path: withDigest(session.location, of),
      lane: 'upload',
      isPlaceHeld: true,
      headers: { 'content-type': 'application/octet-stream' },
      body,
      once: true,
      // the timer of undici also runs while a body is sent: a stream is watched by its feed instead
      headersTimeoutMs: 'bytes' in body ? commitMs : 0,
    };
    await this.asker.use(request, session.as, call, (answer) => {
      if (answer.status !== 201 && answer.status !== 204) throw this.asker.refusal(answer, request, call);
      const digest = headerOf(answer.headers, 'docker-content-digest');
      if (digest !== undefined && digest !== of.digest) throw failure('corrupt', `${request.what} became ${digest.slice(0, 80)} on ${call.side} ${to.host}`, request, call);
    });
  }

  /** Tells the registry that no more comes; what it answers does not matter. */
  abandon(session: Session, to: Repository, call: Call): void {
    const request: Request = { method: 'DELETE', host: to.host, path: session.location, what: `upload to ${to.path}`, scopes: [writeScope(to)], lane: 'metadata', once: true };
    void this.asker.use(request, session.as, { ...call, signal: AbortSignal.timeout(abandonMs) }, () => undefined).catch(() => undefined);
  }

  #sessionOf(answer: Answer, request: Request, as: Identity, call: Call): Session {
    const location = locationOf(answer);
    if (location === undefined) throw failure('invalid', `${request.what}: ${call.side} ${request.host} opened an upload without a usable location`, request, call);
    return { location, as: onlyThe(answer.credential, as) };
  }
}

/** Whoever opened a session continues it. */
function onlyThe(credential: Credential | undefined, as: Identity): Identity {
  return credential === undefined ? as : [credential];
}

function blobRequest(method: 'HEAD' | 'POST' | 'PUT', to: Repository, of: Descriptor): Omit<Request, 'path'> {
  return { method, host: to.host, what: `blob ${of.digest} of ${to.path}`, scopes: [writeScope(to)], lane: 'metadata' };
}

function uploadsPath(to: Repository): string {
  return `${to.path}/blobs/uploads/`;
}

/**
 * Where the bytes go: relative or absolute, perhaps on another host. A proxy that forgets `X-Forwarded-Proto` makes
 * a registry name itself over http: the same host is raised to https again, any other downgrade is refused later.
 */
function locationOf({ headers, url }: Answer): URL | undefined {
  const text = headerOf(headers, 'location');
  if (text === undefined || !URL.canParse(text, url.href)) return undefined;
  const location = new URL(text, url);
  if (url.protocol !== 'https:' || location.protocol !== 'http:' || location.hostname !== url.hostname) return location;
  const raised = new URL(location);
  raised.protocol = 'https:';
  if (location.port === '') raised.port = url.port;
  return raised;
}

/** The query belongs to the registry and survives; the digest is added to its text. */
function withDigest(location: URL, of: Descriptor): URL {
  return new URL(`${location.href}${location.search === '' ? '?' : '&'}digest=${encodeURIComponent(of.digest)}`);
}
