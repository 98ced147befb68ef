import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keyring, secretProblems } from '../registry/keyring.js';
import { parseBindAddress } from '../telemetry/http.js';
import { unsyncedViews, type Views } from '../watchers/watch.js';
import { answerReview, type AdmissionDeps } from '../webhook/admission.js';
import { CertificateKeeper } from '../webhook/certificate-keeper.js';
import { admissionPath, webhookConfiguration, type Registration } from '../webhook/configuration.js';
import { ProvidedCertificate } from '../webhook/provided-certificate.js';
import { createRouteDeps } from '../webhook/route-deps.js';
import type { RouteDeps } from '../webhook/route.js';
import { createAdmissionServer, systemClock, type AdmissionServer } from '../webhook/server.js';
import type { KeyPair, ServerNames } from '../webhook/x509.js';
import type { Base } from './base.js';
import type { Part } from './part.js';

/** Names of our objects in a cluster, as the chart writes them without any override. */
const fullName = 'kube-image-keeper';

/** The admission server, and the certificates it serves with. */
export function createWebhook(base: Base, views: Views): Part {
  const { flags, metrics, log } = base;
  const deps: AdmissionDeps = { ...routeDeps(base, views), ready: () => readiness(views), observe: metrics.webhook, log };
  const started = Promise.withResolvers<AdmissionServer>();
  let server: AdmissionServer | undefined;
  let isListening = false;

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
      { name: 'webhook', ready: () => isListening || 'not listening yet' },
    ],
    run: async (signal) => {
      const work = certificates.run(signal);
      // an address that is taken ends the process; before the first certificate there is nothing to wait for
      await Promise.race([work, started.promise]);
      await work;
      await server?.close();
    },
  };
}

/** Everything a routing decision reads; `kuik explain` decides with the same. */
export function routeDeps({ config, cluster, registry, metrics }: Pick<Base, 'config' | 'cluster' | 'registry' | 'metrics'>, views: Views): RouteDeps {
  const { activeCheck, rewriteOnNever, honorPrioritiesOnAlways, pinDigests } = config.routing;
  return createRouteDeps({
    cluster,
    registry,
    keyring: { credentials: keyring, problems: (secret) => secretProblems([secret]).map(({ message }) => message) },
    rules: views.rules,
    records: views.records,
    namespaces: views.namespaces,
    settings: { deadlineMs: activeCheck.deadlineMs, rewriteOnNever, honorPrioritiesOnAlways, pinDigests, v1ProxyPort: config.migration.v1ProxyPort, skip: config.skip, probe: activeCheck },
    observe: { pullSecret: metrics.webhook.pullSecret, availability: (result) => metrics.registry.cached('availability', result) },
    clock: systemClock,
    random: Math.random,
  });
}

function readiness(views: Views): true | string {
  const missing = unsyncedViews(views);
  return missing.length === 0 ? true : `${missing.join(', ')} not synced`;
}

type CertificateSource = Pick<CertificateKeeper, 'run' | 'ready'>;

function certificateSource(base: Base, serve: (leaf: KeyPair) => void): CertificateSource {
  const { flags, cluster, metrics, log, environment } = base;
  const observe = metrics.inside.certificateEnds;
  const { folder, certificate, key } = flags.webhookCertificate;
  if (folder !== '') {
    const read = async (): Promise<KeyPair> => ({ certificate: await readFile(join(folder, certificate), 'utf8'), privateKey: await readFile(join(folder, key), 'utf8') });
    return new ProvidedCertificate({ read, serve, observe, clock: systemClock, log });
  }
  return new CertificateKeeper({
    cluster,
    secret: { namespace: environment.installNamespace, name: `${fullName}-webhook-server-cert` },
    names: serverNames(base),
    publish: (caBundle) => cluster.applyWebhookConfiguration(webhookConfiguration(registration(base), caBundle)),
    serve,
    observe,
    clock: systemClock,
    log,
  });
}

/** Outside a cluster the whole registration is ours; inside, the chart owns all but the CA bundle. */
function registration({ flags, environment }: Base): Registration {
  const name = `${fullName}-mutating-webhook`;
  if (flags.webhookUrl !== undefined) return { name, client: { url: flags.webhookUrl.replace(/\/+$/, '') + admissionPath }, write: 'whole' };
  return { name, client: { service: { namespace: environment.installNamespace, name: `${fullName}-webhook`, path: admissionPath, port: 443 } }, write: 'caBundle' };
}

function serverNames({ flags, environment }: Base): ServerNames {
  const service = `${fullName}-webhook.${environment.installNamespace}.svc`;
  const host = flags.webhookUrl === undefined ? undefined : new URL(flags.webhookUrl).hostname.replace(/^\[(.*)\]$/, '$1');
  const isAddress = host !== undefined && /^[0-9.]+$|:/.test(host);
  return { dns: [service, `${service}.cluster.local`, ...(host !== undefined && !isAddress ? [host] : [])], ips: isAddress ? [host] : [] };
}
