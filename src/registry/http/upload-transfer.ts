/**
 * The bytes of one blob on their way into a session:
 *
 * 1. sent in one PUT, or in PATCHes and an empty PUT, as the plan for the registry says;
 * 2. after a cut the registry is asked how far it got, and the rest is sent from there;
 * 3. where it does not know exactly, the blob begins again in a new session, twice at most.
 *
 * Bytes are never sent into a session on a guess: some registries append whatever comes.
 */
import { isFailure, type Failure } from '../../domain/failure.js';
import type { Asker } from './asker.js';
import type { CapabilityMemory } from './capabilities.js';
import type { Feed } from './feed.js';
import type { UploadModes, UploadPlan } from './upload-modes.js';
import type { Session, Upload, UploadSessions } from './upload-session.js';

/** Up to this size a blob is kept whole, so that nothing is open while it waits. */
export const smallBytes = 1024 * 1024;
/** A registry that ignores the bytes of a POST gets no more of them for nothing. */
const singlePostBytes = 64 * 1024;
/** in which a registry takes what it has received of a cut body; distribution answers before that, and is wrong then */
const noticeMs = 250;
const mostRestarts = 2;
const mostResumes = 5;
/** this much progress gives all resumes back */
const progressBytes = 16 * 1024 * 1024;
/** a connection that breaks before this much was broken off by somebody who saw the length; sockets hold up to half of it */
const earlyBytes = 8 * 1024 * 1024;

export interface TransferDeps {
  readonly asker: Asker;
  readonly sessions: UploadSessions;
  readonly modes: UploadModes;
  readonly capabilities: CapabilityMemory;
}

/** Where to go on. */
type Next = number | 'done';

export class Transfer {
  #session: Session | undefined;
  #small: Uint8Array | undefined;
  #restarts = 0;
  #resumes = 0;
  #mark = 0;
  /** kinds of trouble that are met once */
  readonly #met = new Set<string>();
  /** bytes of the body under way, and how they are sent */
  #bodyBytes = 0;
  #by: UploadPlan['by'] = 'PUT';
  /** the method that is left after the other one was refused */
  #turnedTo: UploadPlan['by'] | undefined;
  #isLearned = false;

  constructor(
    readonly deps: TransferDeps,
    readonly upload: Upload,
    readonly feed: Feed,
  ) {}

  /**
   * @param session left over from a mount
   * @throws Failure what the destination, or the source, failed with in the end; the session is closed then
   */
  async run(session?: Session): Promise<void> {
    this.#session = session;
    try {
      for (let next: Next = 0; next !== 'done'; ) next = await this.#send(next).catch((error: unknown) => this.#recover(error));
      this.feed.report(this.upload.of.size);
      if (this.#isLearned) this.deps.modes.takesPatches(this.upload.to.host);
    } catch (error) {
      this.#drop();
      this.feed.report(0);
      throw this.feed.failure ?? error;
    }
  }

  /** A session, unless a single POST does it all. */
  async #open(): Promise<'done' | 'open'> {
    if (this.#session !== undefined) return 'open';
    const { deps: { sessions, capabilities }, upload } = this;
    const { to, of } = upload;
    if (of.size > 0 && of.size <= singlePostBytes && capabilities.can(to.host, 'singlePost') !== false) {
      const answer = await sessions.post(upload, await this.#bytes());
      capabilities.learn(to.host, 'singlePost', answer === 'done');
      if (answer === 'done') return 'done';
      this.#session = answer;
    }
    this.#session ??= await sessions.open(upload);
    return 'open';
  }

  async #send(from: number): Promise<Next> {
    if ((await this.#open()) === 'done') return 'done';
    const { size } = this.upload.of;
    const { by: usual, mostBytes } = this.deps.modes.plan(this.upload.to.host, this.#session?.leastChunkBytes);
    const by = this.#turnedTo ?? usual;
    if (from === 0 && by === 'PUT' && size <= mostBytes) return this.#put(0);
    for (let at = from; at < size; ) {
      const until = Math.min(size, at + mostBytes);
      const next = await this.#patch(at, until, by === 'PATCH' && mostBytes === Infinity && at === 0);
      if (next !== until) return next;
      at = until;
    }
    return this.#put(size);
  }

  async #patch(from: number, until: number, isStream: boolean): Promise<Next> {
    const { feed, deps } = this;
    [this.#bodyBytes, this.#by] = [until - from, 'PATCH'];
    const body = { stream: feed.slice(from, until), length: until - from };
    const sent = await deps.sessions.patch(this.#session!, this.#watched(), body, { from, until, isStream });
    if (sent.outcome === 'lost') return this.#resume(sent.failure);
    this.#session = sent.session;
    return until;
  }

  /** Completes the blob, with the bytes from there on. */
  async #put(from: number): Promise<Next> {
    const { feed, deps, upload: { of } } = this;
    [this.#bodyBytes, this.#by] = [of.size - from, 'PUT'];
    const isWhole = from === 0 && of.size <= smallBytes;
    const body = from === of.size ? { bytes: new Uint8Array(0) } : isWhole ? { bytes: await this.#bytes() } : { stream: feed.slice(from, of.size), length: of.size - from };
    const sent = await deps.sessions.put(this.#session!, 'bytes' in body ? this.upload : this.#watched(), body);
    return sent.outcome === 'lost' ? this.#lost(sent.failure) : 'done';
  }

  /** @throws what cannot be helped */
  async #recover(error: unknown): Promise<Next> {
    const { feed, upload: { to, call }, deps } = this;
    const why = feed.failure ?? error;
    if (call.signal.aborted || !isFailure(why) || why.retryAfterMs !== undefined) throw why;
    if (feed.failure !== undefined) return this.#restart(why);
    // a registry that opens no session has been asked often enough
    if (this.#session === undefined) throw why;
    switch (why.code) {
      case 'unreachable':
      case 'timeout':
      case 'unauthorized':
        return this.#resume(why);
      case 'too-large':
        if (!deps.modes.tooLarge(to.host, this.#bodyBytes, this.#session?.leastChunkBytes)) throw why;
        return this.#begin();
      case 'unsupported':
        if (!this.#turn()) throw why;
        this.#isLearned = this.#turnedTo === 'PATCH';
        return this.#begin();
      case 'corrupt':
        // some ignore the bytes of a PUT, and miss them then
        if (this.#by === 'PUT') this.#turn();
        return this.#restart(why);
      default:
        throw why;
    }
  }

  /** What comes next is sent with the other method, where that is possible; once. */
  #turn(): boolean {
    if (this.#turnedTo !== undefined || this.#bodyBytes === 0 || !this.deps.modes.mayTurn(this.upload.to.host, this.#by)) return false;
    this.#turnedTo = this.#by === 'PUT' ? 'PATCH' : 'PUT';
    return true;
  }

  /**
   * Goes on where the registry stands; a token that ended on the way is renewed by asking. A registry that has not noticed
   * the cut yet goes on to take what lies in its sockets: it stands elsewhere then than it said, and is asked again.
   */
  async #resume(why: Failure): Promise<Next> {
    const { feed, deps, upload } = this;
    if (why.code === 'timeout' || why.code === 'unauthorized') this.#once(why);
    if (upload.of.size <= smallBytes) return this.#lost(why);
    await deps.asker.time.sleep(noticeMs, upload.call.signal);
    const status = await deps.sessions.status(this.#session!, upload);
    if (status === 'lost' || status.held > feed.given) return this.#lost(why);
    if (status.held - this.#mark >= progressBytes) [this.#resumes, this.#mark] = [0, status.held];
    if (++this.#resumes > mostResumes) throw why;

    deps.asker.observe({ type: 'blob', registry: upload.to.host, how: 'resumed', sizeBytes: upload.of.size - status.held });
    this.#session = status.session;
    return status.held;
  }

  /** The session is gone. Perhaps because the blob was completed, and only the answer got lost. */
  async #lost(why: Failure): Promise<Next> {
    const { feed, deps, upload } = this;
    const isAllSent = this.#small !== undefined || feed.given === upload.of.size;
    if (isAllSent && (await deps.sessions.exists(upload))) return 'done';
    const isTooMuch = why.code === 'unreachable' && (feed.given < earlyBytes || this.#restarts > 0);
    if (isTooMuch) deps.modes.brokeEarly(upload.to.host, this.#bodyBytes);
    return this.#restart(why);
  }

  #restart(why: Failure): Next {
    if (++this.#restarts > mostRestarts) throw why;
    // a source tries again by itself, and only begins anew where it cannot go on
    if (this.feed.failure !== undefined && why.code !== 'unreachable' && why.code !== 'corrupt') throw why;
    if (why.code === 'corrupt') this.#once(why);
    const { asker } = this.deps;
    asker.observe({ type: 'blob', registry: this.upload.to.host, how: 'restarted', sizeBytes: this.upload.of.size });
    return this.#begin();
  }

  #begin(): Next {
    this.#drop();
    this.#mark = 0;
    return 0;
  }

  /** What happens for the second time is not met again. */
  #once(why: Failure): void {
    const kind = `${why.side} ${why.code}`;
    if (this.#met.has(kind)) throw why;
    this.#met.add(kind);
  }

  #drop(): void {
    if (this.#session !== undefined) this.deps.sessions.abandon(this.#session, this.upload);
    this.#session = undefined;
  }

  #watched(): Upload {
    const { upload, feed } = this;
    return { ...upload, call: { ...upload.call, signal: feed.watched() } };
  }

  async #bytes(): Promise<Uint8Array> {
    return (this.#small ??= await this.feed.bytes());
  }
}
