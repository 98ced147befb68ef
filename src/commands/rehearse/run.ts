import process from 'node:process';
import type { Cluster } from '../../cluster/cluster.js';
import { readEnvironment } from '../../config/environment.js';
import { workloadKinds, type Pod } from '../../domain/usage.js';
import { askCluster } from '../ask-cluster.js';
import { complain } from '../command-line.js';
import { readAsIf } from '../explain/as-if.js';
import { explainAll, hiddenTexts } from '../explain/run.js';
import { readSettings } from '../manager-config.js';
import { isData, printDocument } from '../output.js';
import { unlessDenied } from '../read-views.js';
import type { RehearseOptions } from '../rehearse.js';
import { namesOfStuck, printRehearsal, rehearsalOf } from './report.js';
import { workloadsOf } from './workloads.js';

export async function runRehearse(registries: readonly string[], options: RehearseOptions): Promise<number> {
  const environment = readEnvironment();
  const away = readAsIf(registries.map((registry) => `${registry}=down`));
  if (typeof away === 'string') return complain('rehearse', away.replace(/^--as-if .*?=down: /, '').replace('=down', ''));

  return askCluster('rehearse', options, async (cluster) => {
    const settings = await readSettings({ cluster, environment, file: options.config, needsFiles: true });
    if ('problems' in settings) return complain('rehearse', ...settings.problems);
    const pods = await readPods(cluster, options);
    if (pods === undefined) return 1;
    const templates = await readTemplates(cluster, options);
    const workloads = workloadsOf(pods, templates);
    const asked = { pods: workloads.map((workload) => workload.asked), remarks: [] };
    const { explanations, remarks, hidden } = await explainAll(asked, away, { cluster, settings });
    const rehearsal = rehearsalOf(workloads.map((workload, index) => ({ workload, explanation: explanations[index]! })), away, hidden);
    complain('rehearse', ...hiddenTexts(hidden), ...remarks.filter((each) => !each.startsWith('--as-if')));
    if (isData(options.output)) await printDocument(rehearsal, options.output);
    else process.stdout.write(options.output === 'name' ? namesOfStuck(rehearsal) : printRehearsal(rehearsal, options.output));
    return rehearsal.workloads.some(({ verdict }) => verdict === 'stuck') ? 2 : 0;
  });
}

/** @returns undefined after saying what helps: without Pods there is nothing to look at */
async function readPods(cluster: Pick<Cluster, 'list'>, { namespace }: RehearseOptions): Promise<readonly Pod[] | undefined> {
  const pods = await unlessDenied(() => cluster.list('Pod', namespace));
  if (pods === undefined) complain('rehearse', namespace === undefined ? 'you may not list Pods of all namespaces: name one with -n, or ask for that right' : `you may not list Pods of namespace ${namespace}: ask for that right, or name another one with -n`);
  return pods;
}

/** Who may not list workloads still learns of their Pods. */
async function readTemplates(cluster: Pick<Cluster, 'list'>, { namespace }: RehearseOptions): Promise<readonly Pod[]> {
  const lists = await Promise.all(workloadKinds.map(async (kind) => ({ kind, templates: await unlessDenied(() => cluster.list(kind, namespace)) })));
  const hidden = lists.filter(({ templates }) => templates === undefined).map(({ kind }) => `${kind}s`);
  if (hidden.length > 0) complain('rehearse', `you may not list ${hidden.join(', ')}: their Pods are shown one by one, and those without Pods are left out`);
  return lists.flatMap(({ templates = [] }) => templates);
}
