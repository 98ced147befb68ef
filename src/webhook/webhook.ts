import type { Log } from '../telemetry/log.js';
import { answerReview, type AdmissionDeps } from './admission.js';
import type { CertificateKeeperDeps } from './certificate-keeper.js';
import { CertificateKeeper } from './certificate-keeper.js';
import type { Clock } from './clock.js';
import { ProvidedCertificate, type ProvidedCertificateDeps } from './provided-certificate.js';
import type { RouteDeps } from './route.js';
import { createAdmissionServer, type AdmissionServer, type ServerDeps } from './server.js';
import type { KeyPair } from './x509.js';

export interface WebhookDeps {
  readonly route: RouteDeps;
  /** our own certificates, or files somebody else provides */
  readonly certificates: Pick<CertificateKeeperDeps, 'cluster' | 'secret' | 'names' | 'publish'> | Pick<ProvidedCertificateDeps, 'read'>;
  /** `true`, or which view is not synced */
  readonly viewsSynced: () => true | string;
  readonly observe: AdmissionDeps['observe'] & ServerDeps['observe'] & { certificateEnds(name: string, notAfter: number): void };
  readonly address: { readonly host?: string; readonly port: number };
  readonly http2?: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Webhook {
  /** the port, once it listens */
  readonly port: number | undefined;
  /** what `/readyz` asks */
  readonly checks: readonly { readonly name: string; ready(): true | string }[];
  /** Serves from the first certificate on, until the signal aborts and the last review is answered; rejects when it cannot listen. */
  run(signal: AbortSignal): Promise<void>;
}

/** The admission server and its certificates, as one thing that runs. */
export function createWebhook(deps: WebhookDeps): Webhook {
  const { log, clock, observe } = deps;
  let server: AdmissionServer | undefined;
  let port: number | undefined;
  let failed: (error: unknown) => void = () => {};

  const admission: AdmissionDeps = { ...deps.route, ready: deps.viewsSynced, observe, log };
  const serve = (leaf: KeyPair): void => {
    if (server !== undefined) return server.serve(leaf);
    const started = createAdmissionServer({ answer: (body, timeoutMs) => answerReview(body, timeoutMs, admission), observe, log, http2: deps.http2 }, leaf);
    server = started;
    started.listen(deps.address).then((bound) => void (port = bound), failed);
  };
  const shared = { serve, clock, log, observe: (name: string, notAfter: number) => observe.certificateEnds(name, notAfter) };
  const certificates = 'read' in deps.certificates ? new ProvidedCertificate({ ...deps.certificates, ...shared }) : new CertificateKeeper({ ...deps.certificates, ...shared });

  return {
    get port() {
      return port;
    },
    checks: [
      { name: 'certificate', ready: () => certificates.ready() },
      { name: 'listener', ready: () => (port === undefined ? 'not listening yet' : true) },
      { name: 'views', ready: deps.viewsSynced },
    ],
    run: async (signal) => {
      const broken = new Promise<never>((_resolve, reject) => (failed = reject));
      await Promise.race([certificates.run(signal), broken]);
      await server?.close();
    },
  };
}
