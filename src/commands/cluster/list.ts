import process from 'node:process';
import type { ClustersReport, SharingCluster } from '../../domain/sweep.js';
import { askCluster } from '../ask-cluster.js';
import type { ClusterCommandOptions } from '../cluster.js';
import { columns } from '../columns.js';
import { cliVersion, complain } from '../command-line.js';
import type { ClusterList } from '../documents/requests.js';
import { isData, printDocument } from '../output.js';
import { agoText, clustersObject, isSilent, readKnown, unknownYet } from './known.js';

export async function runList(options: ClusterCommandOptions): Promise<number> {
  return askCluster('cluster list', options, async (cluster) => {
    const at = clustersObject(options);
    const { report } = await readKnown(cluster, at);
    if (report === undefined) return complain('cluster list', unknownYet(at));
    await print(report, options, Date.now());
    return report.clusters.some((each) => each.id !== report.self && isSilent(each, Date.now())) ? 2 : 0;
  });
}

async function print(report: ClustersReport, { output }: ClusterCommandOptions, now: number): Promise<void> {
  if (isData(output)) return printDocument({ apiVersion: cliVersion, kind: 'ClusterList', at: report.at, items: report.clusters.map((each) => ({ ...each, state: stateOf(each, report, now) })) } satisfies ClusterList, output);
  if (output === 'name') return void process.stdout.write(report.clusters.map(({ id }) => `${id}\n`).join(''));
  process.stdout.write(clustersTable(report, now, output === 'wide' ? 'wide' : 'table'));
}

export function clustersTable(report: ClustersReport, now: number, form: 'table' | 'wide' = 'table'): string {
  const wide = (text: string): readonly string[] => (form === 'wide' ? [text] : []);
  if (report.clusters.length === 0) return `no claim was held by any keeper at ${report.at}; the next daily sweep asks again, or Trigger of sweep/${report.self} in Temporal's UI\n`;
  const rows = report.clusters.map((each) => [each.id, String(each.claims), `${agoText(each.heardAt, now)} ago`, stateOf(each, report, now), ...wide(each.heardAt)]);
  return `${columns([['CLUSTER', 'CLAIMS', 'HEARD', 'STATE', ...wide('HEARD-AT')], ...rows])}as of ${report.at}\n`;
}

function stateOf(each: SharingCluster, { self }: ClustersReport, now: number): 'this cluster' | 'silent' | 'alive' {
  if (each.id === self) return 'this cluster';
  return isSilent(each, now) ? 'silent' : 'alive';
}
