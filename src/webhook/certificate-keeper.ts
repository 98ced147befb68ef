import type { Cluster } from '../cluster/cluster.js';
import { fieldManagers } from '../domain/names.js';
import type { SecretRef } from '../domain/rule.js';
import type { Log } from '../telemetry/log.js';
import { authoritySecret, readAuthorities } from './certificate-secret.js';
import { authorityLifetimeMs, bundleOf, dueAt, leafLifetimeMs, nextCertificateStep, signerOf, type Authorities, type CertificateStep } from './certificates.js';
import type { Clock } from './clock.js';
import { issueLeaf, makeAuthority, validityOf, type KeyPair, type ServerNames } from './x509.js';

/** How often the Secret is read again: a deleted one is back, and a changed one followed, well within 30 s. */
const lookAgainMs = 10_000;
/** More steps than a rotation has; only replicas that overwrite each other need several rounds. */
const mostSteps = 8;
/** A configuration that somebody changed or deleted is right again after this. */
const publishAgainMs = 20_000;

export interface CertificateKeeperDeps {
  readonly cluster: Pick<Cluster, 'secret' | 'applySecret'>;
  /** `<fullname>-webhook-server-cert` of the install namespace */
  readonly secret: SecretRef;
  readonly names: ServerNames;
  /** Has the API server trust these authorities (PEM); resolves when it confirmed. Absent where somebody else publishes. */
  readonly publish?: (caBundle: string) => Promise<void>;
  /** Takes a leaf into use: called at once and at every renewal. */
  readonly serve: (leaf: KeyPair) => void;
  /** Told when certificates end: `ca`, `leaf`; milliseconds since the epoch. */
  readonly observe?: (certificate: 'ca' | 'leaf', notAfter: number) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps a server in certificates that its API server trusts, for as long as it runs. */
export class CertificateKeeper {
  readonly #deps: CertificateKeeperDeps;
  #leaf: { readonly pair: KeyPair; readonly signer: string } | undefined;
  #remembered: Authorities | undefined;
  #published = { bundle: '', at: 0 };

  constructor(deps: CertificateKeeperDeps) {
    this.#deps = deps;
  }

  /** Looks after the certificates until the signal aborts; trouble is logged and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => this.#deps.log.error({ err: error, secret: this.#deps.secret.name }, 'webhook certificate cannot be looked after'));
      await this.#deps.clock.sleep(lookAgainMs, signal);
    }
  }

  /** One round: the authority first, then what clients trust, then the leaf. */
  async look(): Promise<void> {
    const authorities = await this.#settle();
    this.#remembered = authorities;
    if (this.#leaf === undefined) await this.#renewLeaf(authorities); // before, so that a server can start at all
    await this.#publish(authorities);
    await this.#renewLeaf(authorities);
  }

  /** For `/readyz`. */
  ready(): true | string {
    if (this.#leaf === undefined) return 'no certificate yet';
    const { notAfter } = validityOf(this.#leaf.pair.certificate) ?? { notAfter: 0 };
    return notAfter > this.#deps.clock.now() ? true : 'the certificate has ended';
  }

  /** Performs steps until there is nothing to do. What counts is what the Secret says after a write, not what was written. */
  async #settle(): Promise<Authorities> {
    const { cluster, secret, clock } = this.#deps;
    for (let steps = 0; steps < mostSteps; steps++) {
      const stored = readAuthorities(await cluster.secret(secret));
      const step = nextCertificateStep(stored, clock.now(), this.#remembered);
      const wanted = await this.#perform(step, stored);
      if (wanted === stored) return wanted;
      await cluster.applySecret(authoritySecret(secret, wanted), fieldManagers.certificates);
    }
    throw new Error(`secret ${secret.namespace}/${secret.name} does not settle; is another program writing it?`);
  }

  /** @returns what the Secret is to hold; the same object when that is what it holds */
  async #perform(step: CertificateStep, stored: Authorities | 'absent' | 'unreadable'): Promise<Authorities> {
    const { clock, log, publish } = this.#deps;
    if (step.do === 'restore') return step.remembered;
    if (step.do === 'make' || typeof stored === 'string') {
      log.info({ reason: step.do === 'make' ? step.reason : stored }, 'webhook authority is made');
      return { current: await this.#newAuthority() };
    }
    switch (step.do) {
      case 'introduce':
        log.info({}, 'webhook authority is due, the next one is made');
        return { current: stored.current, next: await this.#newAuthority() };
      case 'publish':
        if (publish === undefined) return stored; // whoever publishes takes this step
        await this.#publish(stored);
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

  async #publish(authorities: Authorities): Promise<void> {
    const { clock, publish, observe } = this.#deps;
    const bundle = bundleOf(authorities);
    if (bundle === this.#published.bundle && clock.now() < this.#published.at + publishAgainMs) return;
    await publish?.(bundle);
    this.#published = { bundle, at: clock.now() };
    observe?.('ca', validityOf(authorities.current.certificate)?.notAfter ?? 0);
  }

  async #renewLeaf(authorities: Authorities): Promise<void> {
    const { clock, names, serve, observe, log } = this.#deps;
    const now = clock.now();
    const signer = signerOf(authorities, now);
    if (this.#leaf?.signer === signer.certificate && now < dueAt(this.#leaf.pair)) return;

    const pair = await issueLeaf(signer, names, now, leafLifetimeMs);
    serve(pair);
    this.#leaf = { pair, signer: signer.certificate };
    observe?.('leaf', now + leafLifetimeMs);
    log.info({ notAfter: new Date(now + leafLifetimeMs).toISOString() }, 'webhook certificate is renewed');
  }
}
