/** The last part: an installation changes, goes, and comes again, while Pods are created all the time. */
import { join } from 'node:path';
import { expectEqual, indent, until } from '../demo/story.js';
import { runTool } from '../servers.js';
import { allReady, mustWork, type Say, type Step } from './install.js';
import { podsOf, podThat } from './look.js';
import { chartFolder, namespace, release, type Site } from './site.js';
import { deployment } from './outage.js';

export const leaving: readonly Step[] = [
  { title: 'helm upgrade: three webhooks, two managers and two servers of Temporal, and no Pod is missed meanwhile', play: upgrade },
  { title: 'helm rollback: as before, and again no Pod is missed', play: rollback },
  { title: 'helm uninstall: Pods are created during and after, and nothing is left that would hold anything up', play: uninstall },
  { title: 'helm install again: it finds its database, rules and records, and routes', play: installAgain },
  { title: 'the demo profile in its place: one process, and the development server of Temporal', play: installDemo },
];

async function upgrade(site: Site, say: Say): Promise<void> {
  await changed(site, say, ['upgrade', release, chartFolder, '--set=webhook.replicas=3', '--set=manager.replicas=2', '--set=temporal.server.replicas=2', '--set=manager.verbosity=DEBUG', '--wait', '--timeout=10m']);
  await expectPods(site, { webhook: 3, manager: 2, temporal: 2 });
}

async function rollback(site: Site, say: Say): Promise<void> {
  await changed(site, say, ['rollback', release, '1', '--wait', '--timeout=10m']);
  await expectPods(site, { webhook: 2, manager: 1, temporal: 1 });
}

async function expectPods(site: Site, expected: Readonly<Record<string, number>>): Promise<void> {
  for (const [component, count] of Object.entries(expected)) {
    expectEqual(`Pods of ${component}`, String((await podsOf(site, namespace, `app.kubernetes.io/component=${component}`)).length), String(count));
  }
}

async function changed(site: Site, say: Say, command: readonly string[]): Promise<void> {
  const created = await whilePodsAreCreated(site, async () => mustWork(site, await site.helm(...command)));
  expectEqual('Pods that were refused', created.refused.join('; '), '');
  const missed = created.images.filter((image) => image !== site.copyOf('web:1.0'));
  expectEqual('Pods that were not sent to the mirror', `${missed.length} of ${created.images.length}`, `0 of ${created.images.length}`);
  say(`${created.images.length} Pods created meanwhile, all of them sent to the mirror; ${created.took} s`);
  await allReady(site);
  say(indent(await site.kubectl('get', 'pods', '-n', namespace)));
}

/** Kinds of objects outside of the namespace, of which a chart may have some. */
const ofTheCluster = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations', 'validatingadmissionpolicies', 'validatingadmissionpolicybindings', 'clusterroles', 'clusterrolebindings', 'flowschemas', 'prioritylevelconfigurations', 'priorityclasses'];

async function uninstall(site: Site, say: Say): Promise<void> {
  expectEqual('finalizers of the rule before', String((await finalizers(site)).length > 0), 'true');
  const created = await whilePodsAreCreated(site, async () => mustWork(site, await site.helm('uninstall', release, '--wait', '--timeout=5m')));
  expectEqual('Pods that were refused', created.refused.join('; '), '');
  say(`${created.images.length} Pods created meanwhile, none was refused; ${created.took} s`);

  const left = await site.kubectl('get', ofTheCluster.join(','), '-l', `app.kubernetes.io/instance=${release}`, '-o', 'name');
  expectEqual('registrations and roles that are left', left, '');
  expectEqual('finalizers that are left', (await finalizers(site)).join(', '), '');
  await until('the last Pod of the release to go', async () => (await site.kubectl('get', 'pods', '-n', namespace, '-o', 'name')) === '');

  await site.cluster.apply(deployment('after', site.image('web:1.0')));
  await podThat(site, 'a Pod created afterwards that runs', 'app=after', ({ ready }) => ready);
  say('no registration, no role, no finalizer; a Pod created afterwards runs. What stays:');
  say(indent(await site.kubectl('get', 'cism,ia', '-o', 'name')));
  say(indent(await site.kubectl('get', 'secrets,configmaps,persistentvolumeclaims', '-n', namespace, '-o', 'name')));
}

async function installAgain(site: Site, say: Say): Promise<void> {
  await installed(site, say);
}

async function installDemo(site: Site, say: Say): Promise<void> {
  await mustWork(site, await site.helm('uninstall', release, '--wait', '--timeout=5m'));
  await installed(site, say, `--values=${join(chartFolder, 'values-demo.yaml')}`);
  await expectPods(site, { manager: 1, webhook: 0, temporal: 1, postgresql: 0 });
}

async function installed(site: Site, say: Say, ...more: string[]): Promise<void> {
  await mustWork(site, await site.helm('install', release, chartFolder, ...more, '--wait', '--timeout=10m'));
  await allReady(site);
  say(indent(await site.kubectl('get', 'pods', '-n', namespace)));
  await until('a Pod to be sent to the mirror', async () => (await tryPod(site)).stdout === site.copyOf('web:1.0'));
  await until('the rule to be Ready', async () => (await site.kubectl('get', 'cism', 'web', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === 'True');
  say(indent(await site.kubectl('get', 'cism,ia')));
}

interface Created {
  /** of Pods that were let in, as they came out of admission */
  readonly images: readonly string[];
  /** what the API server said to the others */
  readonly refused: readonly string[];
  readonly took: string;
}

/** Creates Pods one after the other, as dry runs, which are admitted like any other, for as long as something goes on. */
async function whilePodsAreCreated(site: Site, happens: () => Promise<void>): Promise<Created> {
  const began = performance.now();
  const [images, refused]: [string[], string[]] = [[], []];
  let over = false;
  const happening = happens().finally(() => (over = true));
  while (!over) {
    const { code, stdout, stderr } = await tryPod(site);
    if (code === 0) images.push(stdout);
    else refused.push(stderr.trim());
  }
  await happening;
  return { images, refused, took: ((performance.now() - began) / 1000).toFixed(0) };
}

async function tryPod(site: Site): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'try-', namespace: 'default' }, spec: { containers: [{ name: 'web', image: site.image('web:1.0') }] } };
  return runTool('kubectl', ['--kubeconfig', site.cluster.kubeconfig, 'create', '--dry-run=server', '-o', 'jsonpath={.spec.containers[0].image}', '-f', '-'], { input: JSON.stringify(pod) });
}

async function finalizers(site: Site): Promise<readonly string[]> {
  return JSON.parse((await site.kubectl('get', 'cism', 'web', '-o', 'jsonpath={.metadata.finalizers}')) || '[]') as string[];
}
