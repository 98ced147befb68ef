/**
 * Makes a blob present at the destination, the cheapest way first:
 *
 * 1. known there: nothing;
 * 2. known elsewhere in the registry: mounted, and no byte moves;
 * 3. found there: one HEAD, unless it is small and the repository is new;
 * 4. uploaded, with the source opened beside the session.
 *
 * Equal blobs are brought once: whoever comes second waits, and then finds or mounts.
 */
import { isFailure } from '../../domain/failure.js';
import type { Repository } from '../../domain/image-ref.js';
import { viewerOf, type BlobLocations } from '../locations.js';
import type { BlobOutcome, BlobSource, Call, Descriptor, Identity } from '../registry.js';
import { SingleFlight } from '../single-flight.js';
import type { Asker } from './asker.js';
import type { CapabilityMemory } from './capabilities.js';
import { usualStallMs } from './drip.js';
import { Feed } from './feed.js';
import { UploadModes } from './upload-modes.js';
import { UploadSessions, type Session, type Upload } from './upload-session.js';
import { Transfer, type TransferDeps } from './upload-transfer.js';

/**
 * In a new repository a blob up to this size is sent unasked: nearly always it is not there, and to ask costs a round trip.
 * Where it is there after all it costs one request more, and these bytes.
 */
const unaskedBytes = 64 * 1024;

/** One blob on its way to one repository. */
interface Delivery extends Upload {
  readonly source: BlobSource;
  /** whose facts about blob locations count */
  readonly viewer: string;
  /** left over from a mount that the registry answered with a session */
  session?: Session;
}

export class Uploader {
  readonly #deps: TransferDeps;
  readonly #inRepository = new SingleFlight();
  readonly #inRegistry = new SingleFlight();

  constructor(
    readonly asker: Asker,
    readonly locations: BlobLocations,
    capabilities: CapabilityMemory,
  ) {
    this.#deps = { asker, capabilities, sessions: new UploadSessions(asker), modes: new UploadModes(asker.options.settings, asker.clock) };
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
    try {
      return await this.#findOrBring(delivery);
    } finally {
      // opened by a mount, and not needed in the end
      if (delivery.session !== undefined) this.#deps.sessions.abandon(delivery.session, delivery);
    }
  }

  async #findOrBring(delivery: Delivery): Promise<BlobOutcome> {
    const { to, of, call, viewer } = delivery;
    const isKnown = this.locations.isConfirmed(to, of.digest, viewer);
    this.asker.observe({ type: 'cache', cache: 'blob', result: isKnown ? 'hit' : 'miss' });
    if (isKnown) return 'present';
    for (;;) {
      const mount = await this.#mount(delivery);
      if (mount === 'mounted') return 'mounted';
      // then there is nothing to wait for
      if (mount === 'refused') return this.#findOrUpload(delivery);
      const how = await this.#inRegistry.runOrWait(`${to.host} ${viewer} ${of.digest}`, call.signal, () => this.#findOrUpload(delivery));
      // after a wait: another repository of this registry has got it, or could not, and then one of us goes ahead
      if (how !== undefined) return how;
    }
  }

  /** @returns `nowhere`: no other repository is known to hold it */
  async #mount(delivery: Delivery): Promise<'mounted' | 'refused' | 'nowhere'> {
    const { to, of, viewer } = delivery;
    if (this.#deps.capabilities.can(to.host, 'mount') === false) return 'refused';
    const from = this.locations.elsewhere(to, of.digest, viewer);
    if (from === undefined) return this.locations.isElsewhere(to, of.digest, viewer) ? 'refused' : 'nowhere';
    // a mount that gets no answer is no reason to give up: what comes next is told clearly enough
    const answer = await this.#deps.sessions.mount(delivery, from).catch((error: unknown) => {
      if (!isFailure(error) || error.code !== 'unreachable') throw error;
      return undefined;
    });
    if (answer === 'mounted') {
      this.locations.confirm(to, of.digest, viewer);
      return 'mounted';
    }
    this.locations.refused(to.host, from);
    delivery.session = answer;
    return 'refused';
  }

  async #findOrUpload(delivery: Delivery): Promise<BlobOutcome> {
    const { to, of, viewer } = delivery;
    const how = this.#isProbablyAbsent(delivery) ? await this.#uploadUnasked(delivery) : await this.#askAndUpload(delivery);
    this.locations.confirm(to, of.digest, viewer);
    if (how === 'present') this.locations.repositories.found(to, viewer);
    return how;
  }

  #isProbablyAbsent({ to, of, source, viewer }: Delivery): boolean {
    return of.size <= unaskedBytes && source.isEmpty !== true && this.locations.repositories.isNew(to, viewer);
  }

  async #askAndUpload(delivery: Delivery): Promise<'present' | 'uploaded'> {
    if (await this.#deps.sessions.exists(delivery)) return 'present';
    await this.#upload(delivery);
    return 'uploaded';
  }

  /** A source that cannot give it is no matter where it is there already. */
  async #uploadUnasked(delivery: Delivery): Promise<'present' | 'uploaded'> {
    try {
      await this.#upload(delivery);
      return 'uploaded';
    } catch (error) {
      if (delivery.call.signal.aborted || (isFailure(error) && error.side === 'destination')) throw error;
      if (await this.#deps.sessions.exists(delivery)) return 'present';
      throw error;
    }
  }

  async #upload(delivery: Delivery): Promise<void> {
    const { to, of, call, source } = delivery;
    // a place among uploads comes before the place among downloads that feeds it
    const release = await this.asker.enter(to.host, 'upload', call);
    const feed = new Feed(source, of, {
      asked: { host: to.host, what: `blob ${of.digest} of ${to.path}` },
      call,
      time: this.asker.time,
      stallMs: this.asker.options.settings(to.host).stallTimeoutMs ?? usualStallMs,
      onCorrupt: () => this.asker.observe({ type: 'corrupt', registry: source.host ?? to.host, side: 'source' }),
    });
    const { session } = delivery;
    delivery.session = undefined;
    try {
      await new Transfer(this.#deps, delivery, feed).run(session);
    } finally {
      feed.stop();
      release();
    }
  }
}
