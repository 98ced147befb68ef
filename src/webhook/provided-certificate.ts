import type { Log } from '../telemetry/log.js';
import { settleMs } from './certificates.js';
import type { Clock } from './clock.js';
import { isPair, validityOf, type KeyPair, type Validity } from './x509.js';

/** Files are read again this often: a mounted Secret is swapped under us without notice. */
const lookAgainMs = 10_000;

/** A certificate, and the authority it chains to (`ca.crt`) where that lies beside it. */
export interface ProvidedPair extends KeyPair {
  readonly authority?: string;
}

export interface ProvidedCertificateDeps {
  /** Reads certificate chain and key as they are now (`-webhook-cert-path`); throws when a file is missing. */
  readonly read: () => Promise<ProvidedPair>;
  readonly serve: (leaf: KeyPair) => void;
  /** Told how long it lasts. */
  readonly observe?: (certificate: 'provided', validity: Validity) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Serves a certificate somebody else makes, and follows its renewals: at once where the authority stays the same, and
 * otherwise after the time in which the leading manager has published the new one.
 */
export class ProvidedCertificate {
  readonly #deps: ProvidedCertificateDeps;
  #served: ProvidedPair | undefined;
  #waiting: { readonly certificate: string; readonly since: number } | undefined;

  constructor(deps: ProvidedCertificateDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => this.#deps.log.error({ err: error }, 'webhook certificate cannot be read'));
      await this.#deps.clock.sleep(lookAgainMs, signal);
    }
  }

  /** @throws when the files are missing, or do not belong together: half of a swap, read again soon */
  async look(): Promise<void> {
    const { read, serve, observe, log } = this.#deps;
    const found = await read();
    if (found.certificate === this.#served?.certificate && found.privateKey === this.#served.privateKey) return;
    if (!isPair(found)) throw new Error('the webhook certificate and its key do not belong together');
    if (this.#isTooEarly(found)) return;

    serve({ certificate: found.certificate, privateKey: found.privateKey });
    this.#served = found;
    this.#waiting = undefined;
    const validity = validityOf(found.certificate);
    if (validity !== undefined) observe?.('provided', validity);
    log.info({ notAfter: new Date(validity?.notAfter ?? 0).toISOString() }, 'webhook certificate is loaded');
  }

  /** Nobody trusts the authority yet; what is served still holds. */
  #isTooEarly({ certificate, authority }: ProvidedPair): boolean {
    const served = this.#served;
    const now = this.#deps.clock.now();
    const isTrusted = served === undefined || authority === undefined || authority === served.authority;
    const hasEnded = served !== undefined && (validityOf(served.certificate)?.notAfter ?? 0) <= now;
    if (isTrusted || hasEnded) return false;

    if (this.#waiting?.certificate !== certificate) this.#waiting = { certificate, since: now };
    return now < this.#waiting.since + settleMs;
  }

  /** For `/readyz`. */
  ready(): true | string {
    if (this.#served === undefined) return 'no certificate yet';
    return (validityOf(this.#served.certificate)?.notAfter ?? 0) > this.#deps.clock.now() ? true : 'the certificate has ended';
  }
}
