/** The second part: a registry goes away. What was protected starts all the same, what was not does not, and both say why. */
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { annotations } from '../../src/domain/names.js';
import { expectEqual, indent, until } from '../demo/story.js';
import { architecture } from '../release/assemble.js';
import { sinceInstall, type Say, type Step } from './install.js';
import { eventsOf, kuik, podThat } from './look.js';
import { mirrorUser, namespace, type Site } from './site.js';

export const outage: readonly Step[] = [
  { title: 'push two images to "source", and ask for a mirror of one of them', play: pushAndMirror },
  { title: 'deploy the protected one: it runs from "source", and is copied', play: deployProtected },
  { title: 'stop "source": the registry is gone', play: stopSource },
  { title: 'scale the protected Deployment: its new Pod starts from the mirror', play: scaleProtected },
  { title: 'deploy the unprotected one: it cannot start, and says why', play: deployUnprotected },
];

/** `routing.activeCheck.positiveTTL`, unless configured */
const answerCountsForMs = 30_000;

async function pushAndMirror(site: Site, say: Say): Promise<void> {
  site.notes.set('digest', await site.push('web:1.0'));
  await site.push('other:1.0');
  await site.kubectl('create', 'secret', 'docker-registry', 'mirror', '-n', namespace, `--docker-server=${site.mirror.address}`, `--docker-username=${mirrorUser.name}`, `--docker-password=${mirrorUser.password}`);
  const credentialSecret = { name: 'mirror', namespace };
  const mirrors = [{ registry: site.mirror.address, path: '/kept', credentialSecret, platforms: [{ os: 'linux', architecture: architecture() }] }];
  const spec = { filter: { include: [{ image: '.+/library/web:.+' }] }, cleanup: { enabled: true, retention: '168h' }, mirrors };
  say(await site.cluster.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'web' }, spec })));
  await until('the rule to be Ready', async () => (await site.kubectl('get', 'cism', 'web', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === 'True');
  say(indent(await site.kubectl('get', 'cism', 'web')));
}

async function deployProtected(site: Site, say: Say): Promise<void> {
  await site.cluster.apply(deployment('web', site.image('web:1.0')));
  const pod = await podThat(site, 'a Pod of "web" that runs', 'app=web', ({ ready }) => ready);
  expectEqual('the image it pulls', pod.image, site.image('web:1.0'));
  say(`Pod ${pod.name} pulled ${pod.image} and runs ${pod.digest}`);
  await until('kubectl get ia to show the copy', async () => /True +1\/1/.test(await site.kubectl('get', 'ia')));
  say(indent(await site.kubectl('get', 'ia')));
}

async function stopSource(site: Site, say: Say): Promise<void> {
  await site.source.stop();
  say(`nothing listens at ${site.sourceAddress} any more; what it answered last counts for ${answerCountsForMs / 1000} s`);
  await sleep(answerCountsForMs + 1_000);
}

async function scaleProtected(site: Site, say: Say): Promise<void> {
  const before = performance.now();
  await site.kubectl('scale', 'deployment', 'web', '--replicas=2');
  const pod = await podThat(site, 'a Pod of "web" that runs from the mirror', 'app=web', ({ ready, image }) => ready && image === site.copyOf('web:1.0'));
  say(`Pod ${pod.name} pulled ${pod.image} and runs ${pod.digest}, ${((performance.now() - before) / 1000).toFixed(1)} s after it was asked for, ${sinceInstall(site)} after helm install`);
  expectEqual('the digest that runs', pod.digest, site.notes.get('digest') ?? 'unknown');
  expectEqual('Secrets it pulls with', String(pod.pullSecrets.length), '1');
  say(`the password of "mirror" came to it as Secret ${pod.pullSecrets.join(', ')}`);
  expectEqual('its reason', pod.annotations[annotations.reason]?.includes('OriginUnavailable') === true ? 'OriginUnavailable' : JSON.stringify(pod.annotations), 'OriginUnavailable');
  await until('the event that says so', async () => (await eventsOf(site, pod.name)).some((event) => event.includes(' OriginUnavailable ')));
  for (const event of await eventsOf(site, pod.name)) say(`  ${event}`);
  say(await explained(site, pod.name));
}

async function deployUnprotected(site: Site, say: Say): Promise<void> {
  await site.cluster.apply(deployment('other', site.image('other:1.0')));
  const pod = await podThat(site, 'a Pod of "other" that cannot pull', 'app=other', ({ waits }) => waits === 'ImagePullBackOff');
  expectEqual('the image it pulls', pod.image, site.image('other:1.0'));
  for (const event of await eventsOf(site, pod.name)) say(`  ${event}`);
  const explanation = await explained(site, pod.name);
  say(explanation);
  if (!explanation.includes(site.sourceAddress)) throw new Error(`kuik explain does not name ${site.sourceAddress}`);
}

/** As a person would ask, with the configuration of the release. */
async function explained(site: Site, pod: string): Promise<string> {
  const file = join(site.dir, 'configuration.yaml');
  await writeFile(file, await site.kubectl('get', 'configmap', '-n', namespace, 'kube-image-keeper-manager-config', '-o', 'jsonpath={.data.config\\.yaml}'));
  return indent(await kuik(site, 'explain', `pod/${pod}`, '-n', 'default', '--config', file));
}

export function deployment(name: string, image: string): string {
  const labels = { app: name };
  const spec = { terminationGracePeriodSeconds: 1, containers: [{ name, image }] };
  return JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'default' }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } } });
}
