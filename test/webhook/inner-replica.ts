/** A replica of the webhook inside the test's own process, registered as a chart does it: for what a process would hide. */
import type { KubernetesCluster } from '../../src/cluster/kubernetes/client.js';
import type { Registry } from '../../src/registry/registry.js';
import { NamespacesView } from '../../src/views/namespaces.js';
import { RecordsView } from '../../src/views/records.js';
import { RulesView } from '../../src/views/rules.js';
import { unsyncedViews, watchCluster } from '../../src/watchers/watch.js';
import { answerReview, type AdmissionDeps } from '../../src/webhook/admission.js';
import type { Clock } from '../../src/webhook/clock.js';
import { LeafKeeper } from '../../src/webhook/leaf-keeper.js';
import { createAdmissionServer, type AdmissionServer } from '../../src/webhook/server.js';
import { systemClock } from '../../src/webhook/system-clock.js';
import type { KeyPair } from '../../src/webhook/x509.js';
import { freePort } from '../../tools/servers.js';
import { authorityRef, installNamespace, serviceName } from '../support/admission-lab.js';
import type { Replica } from '../support/balancer.js';
import { until } from '../support/until.js';
import { silentLog } from './support.js';
import { aRouteDeps, type Parts } from './world.js';

/** One answer in so many ends its connection, so that certificates are looked at all the time. */
export const lastOfConnection = 20;

export interface InnerReplica extends Replica {
  /** follows the authority when it is told to */
  readonly keeper: LeafKeeper;
  stop(): Promise<void>;
}

export interface InnerParts extends Pick<Parts, 'views' | 'probe'> {
  readonly cluster: KubernetesCluster;
  readonly registry: Pick<Registry, 'head'>;
  /** of its keeper; the system's, unless time has to pass faster */
  readonly clock?: Clock;
}

export async function innerReplica({ cluster, registry, views, probe, clock = systemClock }: InnerParts): Promise<InnerReplica> {
  const deps: AdmissionDeps = { ...aRouteDeps({ cluster, registry, views, probe, clock: systemClock }), ready: () => true, observe: { decided: () => {} }, log: silentLog };
  const port = await freePort();
  let server: AdmissionServer | undefined;
  const serve = (leaf: KeyPair): void => {
    if (server !== undefined) return server.serve(leaf);
    server = createAdmissionServer({ answer: (body, timeoutMs) => answerReview(body, timeoutMs, deps), observe: { reviewed: () => {} }, log: silentLog }, leaf);
    endConnections(server);
  };
  const keeper = new LeafKeeper({ cluster, secret: authorityRef, names: { dns: [`${serviceName}.${installNamespace}.svc`], ips: [] }, serve, clock, log: silentLog });
  await keeper.look();
  await server?.listen({ host: '127.0.0.1', port });
  return { port, isReady: async () => keeper.ready() === true, keeper, stop: async () => server?.close() };
}

/** What a webhook watches, once all of it is there. */
export async function watchedViews(cluster: KubernetesCluster, signal: AbortSignal): Promise<{ readonly rules: RulesView; readonly records: RecordsView; readonly namespaces: NamespacesView }> {
  const views = { rules: new RulesView(), records: new RecordsView(), namespaces: new NamespacesView() };
  void watchCluster(cluster, views, { installNamespace }, signal);
  await until(() => unsyncedViews(views).length === 0);
  return views;
}

function endConnections({ app }: AdmissionServer): void {
  let answers = 0;
  app.addHook('onSend', async (_request, reply) => {
    answers += 1;
    if (answers % lastOfConnection === 0) void reply.header('connection', 'close');
  });
}
