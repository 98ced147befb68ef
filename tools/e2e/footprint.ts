/** What each Pod of an installation takes while nothing happens, as the kubelet counts it. */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { pinnedVersion, programNamed, projectRoot } from '../programs.js';
import { footprintFile, type Footprint, type PodFootprint } from './footprint-file.js';
import { offTheClock, type Say, type Step } from './install.js';
import { namespace, release, type Site } from './site.js';

export const resting: readonly Step[] = [{ title: 'leave it alone for two minutes: what each Pod takes at rest', play: (site, say) => offTheClock(site, () => measure(site, say)) }];

const settledSeconds = 60;
const measuredSeconds = 60;

async function measure(site: Site, say: Say): Promise<void> {
  await sleep(settledSeconds * 1_000);
  const before = await usage(site);
  await sleep(measuredSeconds * 1_000);
  const pods = footprints(before, await usage(site));
  say('                     Pods   working set   RSS       CPU');
  for (const each of pods) say(`${each.component.padEnd(18)} ${String(each.replicas).padStart(6)} ${`${each.workingSetMiB} MiB`.padStart(13)} ${`${each.rssMiB} MiB`.padStart(10)} ${`${each.cpuMillicores}m`.padStart(7)}`);
  if (!process.argv.includes('--record')) return;
  const file = join(projectRoot(), footprintFile);
  await writeFile(file, `${JSON.stringify(await footprint(site, pods), undefined, 2)}\n`);
  say(`written to ${footprintFile}; npm run generate puts it into the README of the chart`);
}

async function footprint(site: Site, pods: readonly PodFootprint[]): Promise<Footprint> {
  const records = await site.kubectl('get', 'ia', '-o', 'name');
  return {
    date: new Date().toISOString().slice(0, 10),
    conditions: {
      cores: availableParallelism(),
      loadAverage: Number(loadavg()[0]?.toFixed(1)),
      kubernetes: pinnedVersion(programNamed('kubelet')),
      node: process.versions.node,
      temporal: pinnedVersion(programNamed('temporal-server')),
      images: records.split('\n').filter((line) => line !== '').length,
      readyAfter: site.notes.get('installed') ?? 'unknown',
      settledSeconds,
      measuredSeconds,
    },
    pods,
  };
}

/** Of one Pod, at one moment. */
export interface Usage {
  readonly component: string;
  readonly workingSetBytes: number;
  readonly rssBytes: number;
  readonly cpuNanoseconds: number;
  /** when the kubelet looked, milliseconds since the epoch */
  readonly at: number;
}

interface PodStats {
  readonly podRef: { readonly name: string; readonly namespace: string };
  readonly containers?: readonly { readonly memory?: { readonly workingSetBytes?: number; readonly rssBytes?: number }; readonly cpu?: { readonly time: string; readonly usageCoreNanoSeconds?: number } }[];
}

/** By name of the Pod. @see https://kubernetes.io/docs/reference/instrumentation/node-metrics/ */
async function usage(site: Site): Promise<ReadonlyMap<string, Usage>> {
  const { pods } = JSON.parse(await site.kubectl('get', '--raw', `/api/v1/nodes/${site.cluster.network.name}/proxy/stats/summary`)) as { pods: readonly PodStats[] };
  const ours = pods.filter(({ podRef }) => podRef.namespace === namespace);
  return new Map(ours.map(({ podRef, containers = [] }) => [podRef.name, usageOf(podRef.name, containers)]));
}

function usageOf(name: string, containers: NonNullable<PodStats['containers']>): Usage {
  const sum = (read: (container: (typeof containers)[number]) => number | undefined): number => containers.reduce((total, container) => total + (read(container) ?? 0), 0);
  return {
    component: componentOf(name),
    workingSetBytes: sum(({ memory }) => memory?.workingSetBytes),
    rssBytes: sum(({ memory }) => memory?.rssBytes),
    cpuNanoseconds: sum(({ cpu }) => cpu?.usageCoreNanoSeconds),
    at: Date.parse(containers[0]?.cpu?.time ?? ''),
  };
}

/** `kube-image-keeper-temporal-ui-bf64f6d9d-pkdt6` is `temporal-ui`; Pods of a StatefulSet end in a number. */
export function componentOf(pod: string): string {
  return pod.slice(release.length + 1).replace(/(-[0-9a-f]{6,10}-[0-9a-z]{5}|-\d+)$/, '');
}

/** The larger of two replicas speaks for both, in memory and in processor time. */
export function footprints(before: ReadonlyMap<string, Usage>, after: ReadonlyMap<string, Usage>): readonly PodFootprint[] {
  const found = new Map<string, PodFootprint>();
  for (const [pod, now] of after) {
    const then = before.get(pod);
    if (then === undefined) throw new Error(`Pod ${pod} is new: this installation is not at rest`);
    const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
    const millicores = Math.round(((now.cpuNanoseconds - then.cpuNanoseconds) / 1e6 / (now.at - then.at)) * 1_000);
    const known = found.get(now.component);
    found.set(now.component, {
      component: now.component,
      replicas: (known?.replicas ?? 0) + 1,
      workingSetMiB: Math.max(known?.workingSetMiB ?? 0, mebibytes(now.workingSetBytes)),
      rssMiB: Math.max(known?.rssMiB ?? 0, mebibytes(now.rssBytes)),
      cpuMillicores: Math.max(known?.cpuMillicores ?? 0, millicores),
    });
  }
  return [...found.values()].sort((one, other) => one.component.localeCompare(other.component));
}
