import type { Cluster } from '../cluster/cluster.js';
import { fieldManagers } from '../domain/names.js';
import type { SecretRef } from '../domain/rule.js';
import type { Log } from '../telemetry/log.js';
import { authoritySecret, readAuthorities } from './certificate-secret.js';
import { authorityLifetimeMs, bundleOf, nextCertificateStep, settleMs, type Authorities, type CertificateStep } from './certificates.js';
import type { Clock } from './clock.js';
import { certificatesIn, makeAuthority, validityOf, type KeyPair, type Validity } from './x509.js';

/** How often the Secret is read again: a deleted one is back, and a changed one followed, well within 30 s. */
export const lookAgainMs = 10_000;
/** More steps than a rotation has; only writers that overwrite each other need several rounds. */
const mostSteps = 8;
/** A configuration that somebody changed or deleted is right again after this. */
const publishAgainMs = 20_000;
/** Of what was trusted before, the newest: authorities that are lost again and again must not make a bundle grow. */
const mostOldCertificates = 4;

export interface AuthorityKeeperDeps {
  readonly cluster: Pick<Cluster, 'secret' | 'applySecret'>;
  /** `<fullname>-webhook-server-cert` of the install namespace */
  readonly secret: SecretRef;
  /** Has the API server trust these authorities (PEM); resolves when it confirmed. */
  readonly publish: (caBundle: string) => Promise<void>;
  /**
   * What the API server trusts now (PEM), empty when nothing; undefined when no webhook is registered that we publish
   * for, and then there is nothing to look after. Absent where that is known without asking.
   */
  readonly trusted?: () => Promise<string | undefined>;
  /** Told how long the authority lasts. */
  readonly observe?: (certificate: 'ca', validity: Validity) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps the authority of the webhook, and the API server's trust in it. One process of an installation does. */
export class AuthorityKeeper {
  readonly #deps: AuthorityKeeperDeps;
  #remembered: Authorities | undefined;
  #published = { bundle: '', at: 0 };
  /** what was trusted when we began to lead, or when an authority was lost: replicas may serve with it for a while */
  #before: { readonly certificates: readonly string[]; readonly until: number } | undefined;

  constructor(deps: AuthorityKeeperDeps) {
    this.#deps = deps;
  }

  /** Looks after the authority until the signal aborts; trouble is logged and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => this.#deps.log.error({ err: error, secret: this.#deps.secret.name }, 'webhook authority cannot be looked after'));
      await this.#deps.clock.sleep(lookAgainMs, signal);
    }
  }

  /** One round, where there is a webhook to publish for. */
  async look(): Promise<void> {
    if (this.#deps.trusted !== undefined && (await this.#deps.trusted()) === undefined) return;
    await this.publish(await this.settle());
  }

  /** Performs steps until there is nothing to do. What counts is what the Secret says after a write, not what was written. */
  async settle(): Promise<Authorities> {
    const { cluster, secret, clock } = this.#deps;
    for (let steps = 0; steps < mostSteps; steps++) {
      const stored = readAuthorities(await cluster.secret(secret));
      const step = nextCertificateStep(stored, clock.now(), this.#remembered);
      const wanted = await this.#perform(step, stored);
      if (wanted === stored) return (this.#remembered = wanted);
      await cluster.applySecret(authoritySecret(secret, wanted), fieldManagers.certificates);
    }
    throw new Error(`secret ${secret.namespace}/${secret.name} does not settle; is another program writing it?`);
  }

  /** Again and again, in case somebody changed the configuration; at once when there is something new. */
  async publish(authorities: Authorities): Promise<void> {
    const { clock, publish, observe } = this.#deps;
    this.#before ??= await this.#trustedNow();
    const bundle = this.#bundleOf(authorities);
    if (bundle === this.#published.bundle && clock.now() < this.#published.at + publishAgainMs) return;
    await publish(bundle);
    this.#published = { bundle, at: clock.now() };
    const validity = validityOf(authorities.current.certificate);
    if (validity !== undefined) observe?.('ca', validity);
  }

  /** @returns what the Secret is to hold; the same object when that is what it holds */
  async #perform(step: CertificateStep, stored: Authorities | 'absent' | 'unreadable'): Promise<Authorities> {
    const { clock, log } = this.#deps;
    if (step.do === 'restore') return step.remembered;
    if (step.do === 'make' || typeof stored === 'string') {
      log.info({ reason: step.do === 'make' ? step.reason : stored }, 'webhook authority is made');
      return this.#replaceLost({ current: await this.#newAuthority() });
    }
    switch (step.do) {
      case 'introduce':
        log.info({}, 'webhook authority is due, the next one is made');
        return { current: stored.current, next: await this.#newAuthority() };
      case 'publish':
        await this.publish(stored);
        return { ...stored, published: clock.now() };
      case 'promote':
        return { current: stored.next ?? stored.current };
      case 'keep':
        return stored;
    }
  }

  #newAuthority(): Promise<KeyPair> {
    return makeAuthority('kuik webhook authority', this.#deps.clock.now(), authorityLifetimeMs);
  }

  /** Nobody announced this authority. It is published before anybody can read of it, beside what was trusted so far. */
  async #replaceLost(made: Authorities): Promise<Authorities> {
    this.#before = await this.#trustedNow();
    if (this.#before.certificates.length > 0) await this.publish(made);
    return made;
  }

  async #trustedNow(): Promise<{ readonly certificates: readonly string[]; readonly until: number }> {
    const { clock, trusted } = this.#deps;
    const certificates = certificatesIn((await trusted?.()) ?? '').filter((each) => (validityOf(each)?.notAfter ?? 0) > clock.now());
    return { certificates: certificates.slice(0, mostOldCertificates), until: clock.now() + settleMs };
  }

  #bundleOf(authorities: Authorities): string {
    const bundle = bundleOf(authorities);
    const { certificates, until } = this.#before ?? { certificates: [], until: 0 };
    return this.#deps.clock.now() < until ? bundle + certificates.filter((each) => !bundle.includes(each.trim())).join('') : bundle;
  }
}
