import { AuthorityKeeper, lookAgainMs, type AuthorityKeeperDeps } from './authority-keeper.js';
import { LeafKeeper, type LeafKeeperDeps } from './leaf-keeper.js';
import type { Validity } from './x509.js';

export interface CertificateKeeperDeps extends Omit<AuthorityKeeperDeps, 'observe' | 'trusted'>, Omit<LeafKeeperDeps, 'cluster' | 'observe'> {
  /** Told how long certificates last. */
  readonly observe?: (certificate: 'ca' | 'leaf', validity: Validity) => void;
}

/** Authority and leaf in one: for a process outside its cluster, which registers itself. */
export class CertificateKeeper {
  readonly #deps: CertificateKeeperDeps;
  readonly #authority: AuthorityKeeper;
  readonly #leaf: LeafKeeper;

  constructor(deps: CertificateKeeperDeps) {
    this.#deps = deps;
    this.#authority = new AuthorityKeeper(deps);
    this.#leaf = new LeafKeeper(deps);
  }

  /** Looks after the certificates until the signal aborts; trouble is logged and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, secret } = this.#deps;
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => log.error({ err: error, secret: secret.name }, 'webhook certificate cannot be looked after'));
      await clock.sleep(lookAgainMs, signal);
    }
  }

  /** One round: the authority first, then what clients trust, then the leaf. */
  async look(): Promise<void> {
    const authorities = await this.#authority.settle();
    if (!this.#leaf.isServing) await this.#leaf.follow(authorities); // before, so that a server can start at all
    await this.#authority.publish(authorities);
    await this.#leaf.follow(authorities);
  }

  /** For `/readyz`. */
  ready(): true | string {
    return this.#leaf.ready();
  }
}
