/** The first part of the story: from nothing to an installation that answers. */
import { expectEqual, indent } from '../demo/story.js';
import type { ToolOutput } from '../servers.js';
import { kuik, podsOf, type SeenPod } from './look.js';
import { chartFolder, namespace, release, type Site } from './site.js';

export type Say = (line: string) => void;

export interface Step {
  readonly title: string;
  /** what happened, told in lines; throws when it did not */
  play(site: Site, say: Say): Promise<void>;
}

export const installing: readonly Step[] = [
  { title: 'helm install: kuik, Temporal and its database, where only restricted Pods are let in', play: installChart },
  { title: 'helm test: a Pod is routed, Temporal is healthy; kuik check finds every part good', play: testRelease },
];

async function installChart(site: Site, say: Say): Promise<void> {
  await site.cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } }));
  site.notes.set('began', String(performance.now()));
  await mustWork(site, await site.helm('install', release, chartFolder, '--create-namespace', '--wait', '--timeout=10m'));
  say(indent(await site.kubectl('get', 'pods', '-n', namespace)));
  await allReady(site);
  site.notes.set('installed', sinceInstall(site));
  say(`installed, every Pod Ready and the check of the chart passed ${sinceInstall(site)} after the command`);
}

async function testRelease(site: Site, say: Say): Promise<void> {
  const output = await site.helm('test', release, '--timeout=5m');
  await mustWork(site, output);
  // the accounts and roles of a test are suites to Helm as well
  const phases = [...output.stdout.matchAll(/TEST SUITE:\s+(\S+)[^]*?Phase:\s+(\S+)/g)].map(([, suite, phase]) => `${suite}: ${phase}`);
  for (const phase of new Set(phases)) say(phase);
  say(indent(await kuik(site, 'check', '--timeout=30s')));
}

/** Every Pod of the release runs, is ready and never ended; of hooks none is left. */
export async function allReady(site: Site): Promise<readonly SeenPod[]> {
  const pods = await podsOf(site, namespace);
  expectEqual('Pods that are not ready', pods.filter(({ ready }) => !ready).map(({ name, phase }) => `${name} (${phase})`).join(', '), '');
  expectEqual('Pods that ended and were started again', pods.filter(({ restarts }) => restarts > 0).map(({ name, restarts }) => `${name} (${restarts})`).join(', '), '');
  return pods;
}

/** @throws Error with what Helm said, and what the Pods of the release are about */
export async function mustWork(site: Site, { code, stdout, stderr }: ToolOutput): Promise<void> {
  if (code === 0) return;
  throw new Error([`helm ended with ${code ?? 'a signal'}: ${stderr.trim() || stdout.trim()}`, await troubles(site)].join('\n'));
}

/** Pods, the last events, and the last lines of whoever is not ready. */
async function troubles(site: Site): Promise<string> {
  const ask = (...args: string[]): Promise<string> => site.kubectl(...args, '-n', namespace).catch((error: Error) => error.message);
  const lines = [await ask('get', 'pods', '-o', 'wide'), ...(await ask('get', 'events', '--sort-by=.metadata.creationTimestamp')).split('\n').slice(-15)];
  for (const { name } of (await podsOf(site, namespace)).filter(({ ready }) => !ready)) {
    lines.push(`logs of ${name}:`, indent(await ask('logs', name, '--all-containers', '--prefix', '--tail=8')));
  }
  return lines.join('\n');
}

/** The clock of the story stands still meanwhile. */
export async function offTheClock<T>(site: Site, doing: () => Promise<T>): Promise<T> {
  const before = performance.now();
  const result = await doing();
  site.notes.set('began', String(Number(site.notes.get('began')) + performance.now() - before));
  return result;
}

/** `83 s` */
export function sinceInstall(site: Site): string {
  return `${Math.round((performance.now() - Number(site.notes.get('began'))) / 1000)} s`;
}
