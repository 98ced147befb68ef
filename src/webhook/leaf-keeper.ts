import type { Cluster } from '../cluster/cluster.js';
import type { SecretRef } from '../domain/rule.js';
import type { Log } from '../telemetry/log.js';
import { lookAgainMs } from './authority-keeper.js';
import { readAuthorities } from './certificate-secret.js';
import { dueAt, leafLifetimeMs, nextCertificateStep, signerOf, type Authorities } from './certificates.js';
import type { Clock } from './clock.js';
import { issueLeaf, validityOf, type KeyPair, type ServerNames, type Validity } from './x509.js';

/** Before its first certificate a replica answers nobody. */
const lookAtFirstMs = 1_000;
/**
 * An authority nobody announced was published before we could read of it, but API servers may lag: so long the leaf of
 * the one before is served on. Much less than the time it stays trusted, `settleMs`.
 */
export const unannouncedMs = 30_000;

export interface LeafKeeperDeps {
  /** reads and writes nothing else: who may sign for the webhook is decided elsewhere */
  readonly cluster: Pick<Cluster, 'secret'>;
  readonly secret: SecretRef;
  readonly names: ServerNames;
  /** Takes a leaf into use: called at once and at every renewal. */
  readonly serve: (leaf: KeyPair) => void;
  /** Told how long the leaf lasts. */
  readonly observe?: (certificate: 'leaf', validity: Validity) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps one replica in leaves of an authority that somebody else looks after. */
export class LeafKeeper {
  readonly #deps: LeafKeeperDeps;
  #leaf: { readonly pair: KeyPair; readonly signer: string } | undefined;
  #remembered: Authorities | undefined;
  /** who signs all of a sudden, and since when we know */
  #unannounced: { readonly signer: string; readonly since: number } | undefined;

  constructor(deps: LeafKeeperDeps) {
    this.#deps = deps;
  }

  get isServing(): boolean {
    return this.#leaf !== undefined;
  }

  /** Follows the authority until the signal aborts; trouble is logged and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, secret } = this.#deps;
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => log.error({ err: error, secret: secret.name }, 'webhook certificate cannot be looked after'));
      await clock.sleep(this.isServing ? lookAgainMs : lookAtFirstMs, signal);
    }
  }

  /** A Secret that is away or makes no sense for a while costs nothing: what it held last still signs. */
  async look(): Promise<void> {
    const { cluster, secret, clock } = this.#deps;
    const stored = readAuthorities(await cluster.secret(secret));
    const isUsable = typeof stored !== 'string' && nextCertificateStep(stored, clock.now()).do !== 'make';
    const authorities = isUsable ? stored : this.#remembered;
    if (authorities !== undefined && !this.#mustWaitFor(authorities)) await this.follow(authorities);
  }

  /** Renews the leaf when it is due, and when another authority signs. */
  async follow(authorities: Authorities): Promise<void> {
    const { clock, names, serve, observe, log } = this.#deps;
    this.#remembered = authorities;
    const now = clock.now();
    const signer = signerOf(authorities, now);
    if (this.#leaf?.signer === signer.certificate && now < dueAt(this.#leaf.pair)) return;

    const pair = await issueLeaf(signer, names, now, leafLifetimeMs);
    serve(pair);
    this.#leaf = { pair, signer: signer.certificate };
    const validity = validityOf(pair.certificate);
    if (validity !== undefined) observe?.('leaf', validity);
    log.info({ notAfter: new Date(now + leafLifetimeMs).toISOString() }, 'webhook certificate is renewed');
  }

  /** For `/readyz`. */
  ready(): true | string {
    if (this.#leaf === undefined) return 'no certificate yet';
    return this.#isServable(this.#deps.clock.now()) ? true : 'the certificate has ended';
  }

  /** Whether a signer appeared that no Secret named before, a moment ago, while the leaf we have can still be served. */
  #mustWaitFor(authorities: Authorities): boolean {
    const now = this.#deps.clock.now();
    const signer = signerOf(authorities, now).certificate;
    const { current, next } = this.#remembered ?? {};
    const isKnown = signer === current?.certificate || signer === next?.certificate;
    if (isKnown || !this.#isServable(now)) {
      this.#unannounced = undefined;
      return false;
    }
    if (this.#unannounced?.signer !== signer) this.#unannounced = { signer, since: now };
    return now < this.#unannounced.since + unannouncedMs;
  }

  #isServable(now: number): boolean {
    return this.#leaf !== undefined && (validityOf(this.#leaf.pair.certificate)?.notAfter ?? 0) > now;
  }
}
