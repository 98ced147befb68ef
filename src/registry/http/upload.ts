/**
 * Makes a blob present at the destination, the cheapest way first:
 *
 * 1. known there: nothing;
 * 2. known elsewhere in the registry: mounted, and no byte moves;
 * 3. found there: one HEAD;
 * 4. uploaded: POST, with the source opened beside it, and PUT.
 *
 * Equal blobs are brought once: whoever comes second waits, and then finds or mounts.
 */
import { isFailure } from '../../domain/failure.js';
import type { Repository } from '../../domain/image-ref.js';
import { viewerOf, type BlobLocations } from '../locations.js';
import type { BlobOutcome, BlobSource, Call, Descriptor, Identity } from '../registry.js';
import type { Asker } from './asker.js';
import { Feed } from './feed.js';
import { SingleFlight } from '../single-flight.js';
import { UploadSessions, type Session } from './upload-session.js';

/** Up to this size a blob is kept whole, so that nothing is open while it waits. */
const smallBytes = 1024 * 1024;
const mostRestarts = 2;

/** One blob on its way to one repository. */
interface Delivery {
  readonly to: Repository;
  readonly of: Descriptor;
  readonly source: BlobSource;
  readonly as: Identity;
  readonly call: Call;
  /** whose facts about blob locations count */
  readonly viewer: string;
  /** left over from a mount that the registry answered with a session */
  session?: Session;
}

export class Uploader {
  readonly #sessions: UploadSessions;
  readonly #inRepository = new SingleFlight();
  readonly #inRegistry = new SingleFlight();

  constructor(
    readonly asker: Asker,
    readonly locations: BlobLocations,
  ) {
    this.#sessions = new UploadSessions(asker);
  }

  async putBlob(to: Repository, of: Descriptor, source: BlobSource, as: Identity, call: Call): Promise<BlobOutcome> {
    const delivery: Delivery = { to, of, source, as, call, viewer: viewerOf(as) };
    for (;;) {
      const how = await this.#inRepository.runOrWait(`${to.host}/${to.path} ${delivery.viewer} ${of.digest}`, call.signal, () => this.#bring(delivery));
      if (how === undefined) continue;
      this.asker.observe({ type: 'blob', registry: to.host, how, sizeBytes: of.size });
      return how;
    }
  }

  async #bring(delivery: Delivery): Promise<BlobOutcome> {
    const { to, of, call, viewer } = delivery;
    if (this.locations.isConfirmed(to, of.digest, viewer)) return 'present';
    return (
      (await this.#mount(delivery)) ??
      (await this.#inRegistry.runOrWait(`${to.host} ${viewer} ${of.digest}`, call.signal, () => this.#findOrUpload(delivery))) ??
      // another repository of this registry has just got it, or could not: then it is our turn
      (await this.#mount(delivery)) ??
      (await this.#findOrUpload(delivery))
    );
  }

  /** @returns undefined when nothing can be mounted, or the registry would not */
  async #mount(delivery: Delivery): Promise<'mounted' | undefined> {
    const { to, of, as, call, viewer } = delivery;
    const from = this.locations.elsewhere(to, of.digest, viewer);
    if (from === undefined) return undefined;
    const answer = await this.#sessions.mount(to, of, from, as, call);
    if (answer === 'mounted') {
      this.locations.confirm(to, of.digest, viewer);
      return 'mounted';
    }
    this.locations.refused(to.host, from);
    delivery.session = answer;
    return undefined;
  }

  async #findOrUpload(delivery: Delivery): Promise<BlobOutcome> {
    const { to, of, as, call, viewer } = delivery;
    const isThere = await this.#sessions.exists(to, of, as, call);
    if (!isThere) await this.#uploadPatiently(delivery);
    else if (delivery.session !== undefined) this.#sessions.abandon(delivery.session, to, call);
    this.locations.confirm(to, of.digest, viewer);
    return isThere ? 'present' : 'uploaded';
  }

  async #uploadPatiently(delivery: Delivery): Promise<void> {
    const { to, of, call } = delivery;
    for (let restarts = 0; ; restarts++) {
      try {
        return await this.#upload(delivery);
      } catch (error) {
        if (call.signal.aborted || !mayRestart(error, restarts)) throw error;
        this.asker.observe({ type: 'blob', registry: to.host, how: 'restarted', sizeBytes: of.size });
      }
    }
  }

  async #upload(delivery: Delivery): Promise<void> {
    const { to, of, source, as, call } = delivery;
    // a place among uploads comes before the place among downloads that feeds it
    const release = await this.asker.enter(to.host, 'upload', call);
    const feed = new Feed(source, of, { host: to.host, what: `blob ${of.digest} of ${to.path}` }, call);
    let session = delivery.session;
    delivery.session = undefined;
    try {
      session ??= await this.#sessions.open(to, of, as, call);
      const body = of.size <= smallBytes ? { bytes: await feed.bytes() } : { stream: feed.stream(), length: of.size };
      await this.#sessions.commit(session, to, of, body, { ...call, signal: feed.signal });
      if ('bytes' in body) call.onProgress?.(of.size);
    } catch (error) {
      if (session !== undefined) this.#sessions.abandon(session, to, call);
      if (feed.sent > 0) call.onProgress?.(-feed.sent);
      throw feed.failure ?? error;
    } finally {
      feed.stop();
      release();
    }
  }
}

/** A cut begins again, twice at most; what arrived damaged, and a token that ended on the way, once. */
function mayRestart(error: unknown, restarts: number): boolean {
  if (!isFailure(error)) return false;
  if (error.code === 'unreachable' || error.code === 'timeout') return restarts < mostRestarts && error.retryAfterMs === undefined;
  return (error.code === 'corrupt' || error.code === 'unauthorized') && restarts < 1;
}
