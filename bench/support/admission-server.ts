/**
 * The process that the bench `admission` calls: an admission server with a webhook behind it, put together from the same
 * factories as `kuik webhook`, or with nothing behind it but the answer "allowed". Started with an IPC channel:
 *
 *     node admission-server.js OPTIONS          sends its port, and on `figures` what it has cost so far
 */
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { fastify } from 'fastify';
import { openRegistry } from '../../src/commands/registry-client.js';
import { readBuild } from '../../src/commands/version.js';
import { readEnvironment } from '../../src/config/environment.js';
import { readConfig } from '../../src/config/load.js';
import { MemoryCluster } from '../../src/cluster/memory.js';
import { keyring } from '../../src/registry/keyring.js';
import type { Registry } from '../../src/registry/registry.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { NamespacesView } from '../../src/views/namespaces.js';
import { RecordsView } from '../../src/views/records.js';
import { RulesView } from '../../src/views/rules.js';
import { answerReview } from '../../src/webhook/admission.js';
import { admissionPath } from '../../src/webhook/configuration.js';
import { createRouteDeps } from '../../src/webhook/route-deps.js';
import { allow, readReview } from '../../src/webhook/review.js';
import { createAdmissionServer } from '../../src/webhook/server.js';
import { systemClock } from '../../src/webhook/system-clock.js';
import type { KeyPair } from '../../src/webhook/x509.js';
import { everything, holdInMemory, putRule, type Held } from './admission-world.js';
import type { TlsFiles } from './certificate.js';

export interface ServerOptions {
  readonly tls: TlsFiles;
  readonly behind:
    | { readonly what: 'nothing' }
    /** everything is known: no registry is ever asked */
    | { readonly what: 'warm'; readonly held: Held }
    /** nothing is known: mirrors, in order of rank, and a configuration file */
    | { readonly what: 'cold'; readonly mirrors: readonly string[]; readonly config: string };
}

/** What the process has cost since it was asked last. */
export interface ServerFigures {
  readonly cpuMs: number;
  /** highest resident memory since the start, bytes */
  readonly peakBytes: number;
  /** 99 of 100 turns of the event loop came at most so late, milliseconds */
  readonly loopDelayMs: number;
  /** requests to registries */
  readonly asked: number;
  /** containers that were decided, by reason */
  readonly reasons: Readonly<Record<string, number>>;
}

const counted = { asked: 0, reasons: {} as Record<string, number> };
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const longMs = 3_600_000;

async function main(options: ServerOptions): Promise<void> {
  const leaf: KeyPair = { certificate: readFileSync(options.tls.certificateFile, 'utf8'), privateKey: readFileSync(options.tls.keyFile, 'utf8') };
  const port = options.behind.what === 'nothing' ? await serveNothing(leaf) : await serveWebhook(leaf, options.behind);

  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let cpu = process.cpuUsage();
  process.on('message', () => {
    const used = process.cpuUsage(cpu);
    const figures: ServerFigures = { cpuMs: (used.user + used.system) / 1000, peakBytes: process.resourceUsage().maxRSS * 1024, loopDelayMs: delay.percentile(99) / 1e6, asked: counted.asked, reasons: counted.reasons };
    process.send?.(figures);
    delay.reset();
    cpu = process.cpuUsage();
    counted.asked = 0;
    counted.reasons = {};
  });
  process.once('disconnect', () => process.exit(0)); // whoever started us is gone
  process.send?.({ port });
}

/** The least that a server on the same foundation must do: TLS, parsing the review, an answer to its uid. */
async function serveNothing({ certificate, privateKey }: KeyPair): Promise<number> {
  const app = fastify({ https: { cert: certificate, key: privateKey }, bodyLimit: 8 * 1024 * 1024, logger: false });
  app.post(admissionPath, async (request) => allow(readReview(request.body)?.uid ?? ''));
  await app.listen({ host: '127.0.0.1', port: 0 });
  return portOf(app.server.address());
}

async function serveWebhook(leaf: KeyPair, behind: Exclude<ServerOptions['behind'], { what: 'nothing' }>): Promise<number> {
  const { registry, views } = behind.what === 'warm' ? { registry: noRegistry(), views: holdInMemory(behind.held) } : { registry: realRegistry(behind.config), views: mirrorsOnly(behind.mirrors) };
  const probe = { timeoutMs: 1_000, positiveTtlMs: behind.what === 'warm' ? longMs : 30_000, negativeTtlMs: 3_000, resolveDigest: false };
  const metrics = createMetrics({ version: 'bench', revision: '', built: '' });
  const route = createRouteDeps({
    cluster: new MemoryCluster(),
    registry: { head: (at, as, call) => (counted.asked++, registry.head(at, as, call)) },
    keyring: { credentials: keyring, problems: () => [] },
    ...views,
    settings: { deadlineMs: 2_000, rewriteOnNever: false, honorPrioritiesOnAlways: false, pinDigests: false, v1ProxyPort: 7439, skip: { labels: [], annotations: [], namespaces: [] }, probe },
    observe: { pullSecret: metrics.webhook.pullSecret, availability: (result) => metrics.registry.cached('availability', result) },
    clock: systemClock,
    random: Math.random,
  });
  const decided: typeof metrics.webhook.decided = (verdict, reason) => {
    counted.reasons[reason] = (counted.reasons[reason] ?? 0) + 1;
    metrics.webhook.decided(verdict, reason);
  };
  const deps = { ...route, ready: () => true as const, observe: { decided }, log: silent };
  const server = createAdmissionServer({ answer: (body, timeoutMs) => answerReview(body, timeoutMs, deps), observe: metrics.webhook, log: silent }, leaf);
  return server.listen({ host: '127.0.0.1', port: 0 });
}

function noRegistry(): Pick<Registry, 'head'> {
  return { head: () => Promise.reject(new Error('nothing is to be asked here')) };
}

function realRegistry(configFile: string): Pick<Registry, 'head'> {
  const environment = readEnvironment();
  const { config, problems } = readConfig(configFile, environment);
  if (config === undefined) throw new Error(problems.join('\n'));
  return openRegistry({ config, environment, version: readBuild().version });
}

function mirrorsOnly(mirrors: readonly string[]): { readonly rules: RulesView; readonly records: RecordsView; readonly namespaces: NamespacesView } {
  const rules = new RulesView();
  putRule(rules, everything(...mirrors), 0);
  return { rules, records: new RecordsView(), namespaces: new NamespacesView() };
}

function portOf(address: unknown): number {
  return (address as { port: number }).port;
}

await main(JSON.parse(process.argv[2] ?? '{}') as ServerOptions);
