/** `kuik run`, `kuik webhook`, `kuik manager`: the processes. Everything is put together here and in the files beside. */
import { healthPages, metricsPages, servePages, type Check, type PageServer } from '../telemetry/http.js';
import { startWatchdog } from '../telemetry/watchdog.js';
import { knownFlags } from '../config/flags.js';
import { NamespacesView } from '../views/namespaces.js';
import { NodesView } from '../views/nodes.js';
import { RecordsView } from '../views/records.js';
import { RulesView } from '../views/rules.js';
import { UsageView } from '../views/usage.js';
import { WorkloadsView } from '../views/workloads.js';
import { syncedViews, unsyncedViews, watchCluster, type Views } from '../watchers/watch.js';
import { createWatchLog } from '../watchers/watch-log.js';
import { buildBase, StartProblems, type Base, type Role } from './serve/base.js';
import type { Resource } from '../cluster/cluster.js';
import type { ManagerViews, Part } from './serve/part.js';
import { createManager } from './serve/manager.js';
import { serveMetrics } from './serve/metrics.js';
import { createWebhook } from './serve/webhook.js';

const lookAtWatchesMs = 5_000;

/** @returns exit code, once a signal has ended everything */
export async function serve(role: Role, args: readonly string[]): Promise<number> {
  if (args.some((arg) => ['-h', '-help', '--help'].includes(arg))) return help(role);
  let base: Base;
  try {
    base = buildBase(role, args);
  } catch (error) {
    if (!(error instanceof StartProblems)) throw error;
    for (const problem of error.message.split('\n')) process.stderr.write(`kuik ${role}: ${problem}\n`);
    return 1;
  }
  base.log.info({ version: base.version }, 'starting');
  await run(role, base, stopOnSignal());
  base.log.info({}, 'stopped');
  return 0;
}

function help(role: Role): number {
  const flags = Object.entries<{ readonly usual: string; readonly help: string }>(knownFlags).map(([name, { usual, help: text }]) => `  -${name}\n      ${text}${usual === '' ? '' : ` Default: ${usual}`}`);
  process.stdout.write(`Usage: kuik ${role} [flags]\n\n${flags.join('\n')}\n`);
  return 0;
}

async function run(role: Role, base: Base, stop: AbortSignal): Promise<void> {
  const parts: Part[] = [];
  const notify = (): void => parts.forEach((part) => part.onChange?.());
  const views = makeViews(base, notify);
  const watched: Views = role === 'webhook' ? { ...views, usage: undefined, nodes: undefined, workloads: undefined } : views;
  base.metrics.watchViews(() => syncedViews(watched));
  base.metrics.watchRules(() => (views.rules.isSynced ? views.rules.countInvalid() : undefined));
  if (role !== 'manager' && base.environment.webhooksEnabled) parts.push(createWebhook(base, watched));
  if (role !== 'webhook') parts.push(createManager(base, views));

  const watchdog = startWatchdog((error) => base.log.warn({ err: error }, 'nobody ends this process should its event loop stand still'));
  const pages: (PageServer | undefined)[] = [];
  const watching = new AbortController(); // outlives the parts, so that they end with a picture
  let watches = Promise.resolve();
  let looking: NodeJS.Timeout | undefined;
  try {
    pages.push(await servePages(base.flags.healthProbeBindAddress, healthPages([watchdog, viewsCheck(watched), ...parts.flatMap(({ checks }) => checks)])));
    pages.push(await serveMetrics(base, { ...metricsPages(base.metrics), ...Object.fromEntries(parts.flatMap(({ pages: more = {} }) => Object.entries(more))) }));
    watches = watchCluster(base.cluster, watched, { installNamespace: base.environment.installNamespace }, watching.signal);
    const { log } = base;
    const look = createWatchLog({ cluster: base.cluster, warn: (fields) => log.warn(fields, 'the cluster cannot be watched, going on with what was seen last'), info: (fields) => log.info(fields, 'the cluster is watched again') });
    looking = setInterval(look, lookAtWatchesMs);
    await runAll(parts, stop);
  } finally {
    clearInterval(looking);
    watching.abort();
    await watches;
    for (const page of pages) await page?.close();
    await watchdog.stop();
    await base.close();
  }
}

/** A half that cannot go on takes the other along: Kubernetes starts the Pod again, and says why. */
async function runAll(parts: readonly Part[], stop: AbortSignal): Promise<void> {
  const broken = new AbortController();
  const signal = AbortSignal.any([stop, broken.signal]);
  const works = parts.map((part) =>
    part.run(signal).catch((error: unknown) => {
      broken.abort();
      throw error;
    }),
  );
  await Promise.allSettled(works);
  await Promise.all(works);
}

function makeViews({ config }: Base, onChange: () => void): ManagerViews {
  const resources = new Map<string, Resource>();
  const views: ManagerViews = {
    rules: new RulesView(() => changed()),
    records: new RecordsView(() => changed()),
    namespaces: new NamespacesView(),
    ...(config.mirroring.nodePlatforms ? { nodes: new NodesView(() => onChange()) } : {}),
    ...(config.retention.workloads ? { workloads: new WorkloadsView({ v1ProxyPort: config.migration.v1ProxyPort, onChange: () => onChange() }) } : {}),
    usage: new UsageView({ v1ProxyPort: config.migration.v1ProxyPort, onChange: () => changed() }),
    onResource: (kind, change) => {
      if (change.type === 'put') resources.set(`${kind} ${change.key}`, change.object);
      else if (change.type === 'gone') resources.delete(`${kind} ${change.key}`);
    },
    resource: ({ id }) => resources.get(`${id.kind} ${id.namespace === undefined ? id.name : `${id.namespace}/${id.name}`}`),
  };
  const changed = (): void => onChange();
  return views;
}

function viewsCheck(views: Views): Check {
  return {
    name: 'views',
    ready: () => {
      const missing = unsyncedViews(views);
      return missing.length === 0 ? true : `waiting for the first list of ${missing.join(', ')}`;
    },
  };
}

/** SIGTERM is how Kubernetes ends a Pod, SIGINT how people end a demo. */
function stopOnSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  return stop.signal;
}
