import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, ObjectRef } from '../../cluster/cluster.js';
import { annotations } from '../../domain/names.js';
import { isClusterId, type ForgottenReport, type SharingCluster } from '../../domain/sweep.js';
import { askCluster } from '../ask-cluster.js';
import { agrees } from '../ask-person.js';
import type { ForgetOptions } from '../cluster.js';
import { cliVersion, complain } from '../command-line.js';
import type { ForgottenCluster } from '../documents/requests.js';
import { isData, printDocument } from '../output.js';
import { agoText, clustersObject, isSilent, readKnown, unknownYet, type Known } from './known.js';

const name = 'cluster forget';
const lookEveryMs = 1_000;

export async function runForget(id: string, options: ForgetOptions): Promise<number> {
  return askCluster(name, options, async (cluster, signal) => {
    const at = clustersObject(options);
    const known = await readKnown(cluster, at);
    const problem = whyNot(id, known, at);
    if (problem !== undefined) return complain(name, problem);
    const claimed = known.report?.clusters.find((each) => each.id === id);
    if (options.yes !== true && options.dryRun === 'none' && !(await agrees(questionFor(id, claimed, Date.now()), signal))) return complain(name, 'nothing was changed; add --yes to do it without a question');

    const requestedAt = new Date(Date.now()).toISOString();
    if (options.dryRun !== 'client') await cluster.annotateConfigMap(at, { [annotations.forgetCluster]: id, [annotations.requestedAt]: requestedAt }, { dryRun: options.dryRun === 'server' });
    if (options.dryRun !== 'none') return print({ v: 1, cluster: id, requestedAt, at: requestedAt, keepers: claimed?.claims ?? 0 }, options);

    const ended = await outcomeOf(requestedAt, at, cluster, AbortSignal.any([signal, AbortSignal.timeout(options.timeout)]));
    if (ended === undefined) return complain(name, `asked, and not done in time: the request stays on ConfigMap ${at.namespace}/${at.name} until the manager's leader has carried it out; look at its log, and at the way to Temporal`);
    if (ended.refused !== undefined) return complain(name, `${id}: ${ended.refused}`);
    return print(ended, options);
  });
}

function whyNot(id: string, { report }: Known, at: ObjectRef): string | undefined {
  if (!isClusterId(id)) return `${JSON.stringify(id)} is no cluster ID: 1 to 63 characters of a-z, 0-9, . and -; kuik cluster list prints them`;
  if (report === undefined) return unknownYet(at);
  if (report.self === id) return `${id} is this cluster, and it lives: its claims would come back with the next renewal. To give its copies up, delete its rules`;
  return undefined;
}

/** What somebody should know before answering. */
export function questionFor(id: string, claimed: SharingCluster | undefined, now: number): string {
  if (claimed === undefined) return `${id} claims nothing that this cluster claims too, as far as its last sweep knows. Forget it all the same? [y/N] `;
  const heard = `it was heard of ${agoText(claimed.heardAt, now)} ago`;
  const warning = isSilent(claimed, now) ? heard : `${heard}: it seems to live, and then claims again within a day`;
  return `${id} claims ${claimed.claims} copies together with this cluster; ${warning}. Nothing waits for it any more before a copy is deleted. Forget it? [y/N] `;
}

async function outcomeOf(requestedAt: string, at: ObjectRef, cluster: Pick<Cluster, 'configMap'>, signal: AbortSignal): Promise<ForgottenReport | undefined> {
  while (!signal.aborted) {
    const { forgotten } = await readKnown(cluster, at);
    if (forgotten?.requestedAt === requestedAt) return forgotten;
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

async function print(report: ForgottenReport, { output, dryRun }: ForgetOptions): Promise<0> {
  if (isData(output)) await printDocument({ apiVersion: cliVersion, kind: 'ForgottenCluster', ...report, dryRun } satisfies ForgottenCluster, output);
  else process.stdout.write(dryRun === 'none' ? `${report.cluster} forgotten by ${report.keepers} keepers\n` : `${report.cluster} would be forgotten by ${report.keepers} keepers that this cluster knows of (${dryRun} dry run)\n`);
  return 0;
}
