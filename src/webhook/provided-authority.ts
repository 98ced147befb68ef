import type { Log } from '../telemetry/log.js';
import { lookAgainMs } from './authority-keeper.js';
import { settleMs } from './certificates.js';
import type { Clock } from './clock.js';
import { certificatesIn, validityOf, type Validity } from './x509.js';

/** A configuration that somebody changed is right again after this. */
const publishAgainMs = 20_000;

export interface ProvidedAuthorityDeps {
  /** Reads `ca.crt` beside the certificate as it is now (PEM); undefined when there is none, and then whoever provides it publishes it, too. */
  readonly read: () => Promise<string | undefined>;
  /** Has the API server trust these authorities (PEM); resolves when it confirmed. */
  readonly publish: (caBundle: string) => Promise<void>;
  /** What the API server trusts now (PEM), empty when nothing; undefined when no webhook is registered that we publish for. */
  readonly trusted: () => Promise<string | undefined>;
  /** Told how long the authority lasts. */
  readonly observe?: (certificate: 'ca', validity: Validity) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Publishes the authority of certificates somebody else makes, cert-manager or a person, beside the one before it:
 * replicas load a new leaf one after the other, and only once its authority has been published for a while.
 */
export class ProvidedAuthority {
  readonly #deps: ProvidedAuthorityDeps;
  #current: readonly string[] = [];
  #before: { readonly certificates: readonly string[]; readonly until: number } = { certificates: [], until: 0 };
  #published = { bundle: '', at: 0 };

  constructor(deps: ProvidedAuthorityDeps) {
    this.#deps = deps;
  }

  /** Follows the authority until the signal aborts; trouble is logged and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => this.#deps.log.error({ err: error }, 'the authority of the webhook certificate cannot be published'));
      await this.#deps.clock.sleep(lookAgainMs, signal);
    }
  }

  /** One round, where there is a webhook to publish for. @throws when the file holds no certificate */
  async look(): Promise<void> {
    const { read, trusted, observe } = this.#deps;
    const found = await read();
    const standing = found === undefined ? undefined : await trusted();
    if (found === undefined || standing === undefined) return;
    const certificates = certificatesIn(found);
    const [first] = certificates;
    if (first === undefined) throw new Error('ca.crt beside the webhook certificate holds no certificate');

    if (certificates.join() !== this.#current.join()) this.#follow(certificates, certificatesIn(standing));
    await this.#publish();
    const validity = validityOf(first);
    if (validity !== undefined) observe?.('ca', validity);
  }

  /** What was trusted so far is trusted until every replica has had its time, twice over, to load the new leaf. */
  #follow(certificates: readonly string[], trusted: readonly string[]): void {
    const { clock, log } = this.#deps;
    const before = trusted.filter((each) => !certificates.includes(each) && (validityOf(each)?.notAfter ?? 0) > clock.now());
    this.#before = { certificates: before, until: clock.now() + 2 * settleMs };
    this.#current = certificates;
    log.info({ beside: before.length }, 'the authority of the webhook certificate is published');
  }

  async #publish(): Promise<void> {
    const { clock, publish } = this.#deps;
    const before = clock.now() < this.#before.until ? this.#before.certificates : [];
    const bundle = [...this.#current, ...before].join('');
    if (bundle === this.#published.bundle && clock.now() < this.#published.at + publishAgainMs) return;
    await publish(bundle);
    this.#published = { bundle, at: clock.now() };
  }
}
