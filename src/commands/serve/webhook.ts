import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBindAddress } from '../../telemetry/http.js';
import { unsyncedViews, type Views } from '../../watchers/watch.js';
import { answerReview, type AdmissionDeps } from '../../webhook/admission.js';
import { CertificateKeeper } from '../../webhook/certificate-keeper.js';
import { admissionPath, webhookConfiguration } from '../../webhook/configuration.js';
import { LeafKeeper } from '../../webhook/leaf-keeper.js';
import { ProvidedCertificate, type ProvidedPair } from '../../webhook/provided-certificate.js';
import { readAuthority } from './webhook-files.js';
import { createAdmissionServer, type AdmissionServer } from '../../webhook/server.js';
import { systemClock } from '../../webhook/system-clock.js';
import type { KeyPair, ServerNames } from '../../webhook/x509.js';
import type { Base } from './base.js';
import type { Part } from './part.js';
import { routeDeps } from '../route-base.js';
import { authoritySecretOf, webhookConfigurationName, webhookServiceName } from '../webhook-names.js';

/** A Service sends new connections for as long as its proxies have not heard that we end, which takes them a few seconds. */
const drainMs = 5_000;

/** The admission server, and the certificates it serves with. */
export function createWebhook(base: Base, views: Views): Part {
  const { flags, metrics, log } = base;
  const deps: AdmissionDeps = { ...routeDeps(base, views), ready: () => readiness(views), observe: metrics.webhook, log };
  const started = Promise.withResolvers<AdmissionServer>();
  let server: AdmissionServer | undefined;
  let isListening = false;
  let isDraining = false;

  const serve = (leaf: KeyPair): void => {
    if (server !== undefined) return server.serve(leaf);
    const made = createAdmissionServer({ answer: (body, timeoutMs) => answerReview(body, timeoutMs, deps), observe: metrics.webhook, log, http2: flags.http2 }, leaf);
    server = made;
    made.listen(parseBindAddress(flags.webhookBindAddress)).then((port) => {
      isListening = true;
      log.info({ port }, 'answering reviews');
      started.resolve(made);
    }, started.reject);
  };
  const certificates = certificateSource(base, serve);
  return {
    checks: [
      { name: 'certificate', ready: () => certificates.ready() },
      { name: 'webhook', ready: () => (isDraining ? 'draining' : isListening || 'not listening yet') },
    ],
    run: async (signal) => {
      const work = certificates.run(signal);
      // an address that is taken ends the process; before the first certificate there is nothing to wait for
      await Promise.race([work, started.promise]);
      await work;
      isDraining = true;
      server?.drain();
      if (flags.webhookUrl === undefined) await systemClock.sleep(drainMs);
      await server?.close();
    },
  };
}

function readiness(views: Views): true | string {
  const missing = unsyncedViews(views);
  return missing.length === 0 ? true : `${missing.join(', ')} not synced`;
}

type CertificateSource = Pick<CertificateKeeper, 'run' | 'ready'>;

/**
 * Certificates somebody else makes; or leaves of an authority that the leading manager looks after; or, outside a
 * cluster, both from one hand: there the registration is this process's own.
 */
function certificateSource(base: Base, serve: (leaf: KeyPair) => void): CertificateSource {
  const { flags, cluster, metrics, log } = base;
  const observe = metrics.inside.certificateLasts;
  const { folder, certificate, key } = flags.webhookCertificate;
  if (folder !== '') {
    const read = async (): Promise<ProvidedPair> => ({
      certificate: await readFile(join(folder, certificate), 'utf8'),
      privateKey: await readFile(join(folder, key), 'utf8'),
      authority: await readAuthority(folder),
    });
    return new ProvidedCertificate({ read, serve, observe, clock: systemClock, log });
  }
  const deps = { cluster, secret: authoritySecretOf(base), names: serverNames(base), serve, observe, clock: systemClock, log };
  if (flags.webhookUrl === undefined) return new LeafKeeper(deps);

  const client = { url: flags.webhookUrl.replace(/\/+$/, '') + admissionPath };
  return new CertificateKeeper({ ...deps, publish: (caBundle) => cluster.applyWebhookConfiguration(webhookConfiguration({ name: webhookConfigurationName(base), client }, caBundle)) });
}

function serverNames(base: Base): ServerNames {
  const { flags, environment } = base;
  const service = `${webhookServiceName(base)}.${environment.installNamespace}.svc`;
  const host = flags.webhookUrl === undefined ? undefined : new URL(flags.webhookUrl).hostname.replace(/^\[(.*)\]$/, '$1');
  const isAddress = host !== undefined && /^[0-9.]+$|:/.test(host);
  return { dns: [service, `${service}.cluster.local`, ...(host !== undefined && !isAddress ? [host] : [])], ips: isAddress ? [host] : [] };
}
