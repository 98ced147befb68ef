import process from 'node:process';
import type { Cluster } from '../../cluster/cluster.js';
import { readEnvironment } from '../../config/environment.js';
import { readConfig } from '../../config/load.js';
import { isFailure } from '../../domain/failure.js';
import { workloadKinds, type Pod } from '../../domain/usage.js';
import { askCluster } from '../ask-cluster.js';
import { complain } from '../command-line.js';
import { readAsIf } from '../explain/as-if.js';
import { explainAll } from '../explain/run.js';
import { isData, printDocument } from '../output.js';
import type { RehearseOptions } from '../rehearse.js';
import { printRehearsal, rehearsalOf } from './report.js';
import { workloadsOf } from './workloads.js';

export async function runRehearse(registries: readonly string[], options: RehearseOptions): Promise<number> {
  const environment = readEnvironment();
  const { config, problems } = readConfig(options.config, environment);
  if (config === undefined) return complain('rehearse', ...problems);
  const away = readAsIf(registries.map((registry) => `${registry}=down`));
  if (typeof away === 'string') return complain('rehearse', away.replace('--as-if ', '').replace('=down:', ':'));

  return askCluster('rehearse', options, async (cluster) => {
    const isAsked = ({ namespace }: Pod): boolean => options.namespace === undefined || namespace === options.namespace;
    const [pods, templates] = await Promise.all([cluster.list('Pod'), readTemplates(cluster)]);
    const workloads = workloadsOf(pods.filter(isAsked), templates.filter(isAsked));
    const asked = { pods: workloads.map((workload) => workload.asked), remarks: [] };
    const { explanations, remarks } = await explainAll(asked, away, { cluster, config, environment });
    const rehearsal = rehearsalOf(workloads.map((workload, index) => ({ workload, explanation: explanations[index]! })), away);
    for (const remark of remarks.filter((each) => !each.startsWith('--as-if'))) complain('rehearse', remark);
    if (isData(options.output)) await printDocument(rehearsal, options.output);
    else process.stdout.write(printRehearsal(rehearsal));
    return rehearsal.workloads.some(({ verdict }) => verdict === 'stuck') ? 2 : 0;
  });
}

/** Who may not list workloads still learns of their Pods. */
async function readTemplates(cluster: Pick<Cluster, 'list'>): Promise<readonly Pod[]> {
  const lists = await Promise.all(
    workloadKinds.map((kind) =>
      cluster.list(kind).catch((error: unknown) => {
        if (!isFailure(error) || error.code !== 'denied') throw error;
        complain('rehearse', `you may not list ${kind}s: their Pods are shown one by one, and those without Pods are left out`);
        return [];
      }),
    ),
  );
  return lists.flat();
}
