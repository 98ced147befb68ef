import { compareVersions } from '../../domain/version.js';
import { leaderLostMs } from '../status/troubles.js';
import { readInstallation } from '../status/installation.js';
import { bad, good, hidden, type Asking, type Finding } from './finding.js';
import { podsOf, podsProblem, podsText, type SeenPod } from './pods.js';
import { rulesOf, waitingForTemporal } from './rules.js';

/** Whether somebody leads: renews the Lease. */
export async function checkManager(asking: Asking): Promise<Finding> {
  const { cluster, fullName, installNamespace, now, version } = asking;
  const [{ leader }, pods] = await Promise.all([readInstallation(cluster, { fullName, installNamespace }), podsOf('manager', asking)]);
  const next = podsProblem(pods) ?? `kubectl -n ${installNamespace} get pods shows whether it runs, and its log what it waits for`;
  if (leader === 'hidden') return hidden('you may not see who leads');
  if (leader === undefined) return bad('no manager leads: nothing is copied, checked or cleaned up', next);
  if (now - Date.parse(leader.renewedAt) > leaderLostMs) return bad(`no manager leads since ${leader.renewedAt}: nothing new is copied, checked or cleaned up`, next);
  return good([`${leader.holder} leads`, podsText(pods), skewText(pods, version)].filter((text) => text !== '').join(', '));
}

/** What runs is told by the tags of images; no fault, but worth to know. */
function skewText(pods: readonly SeenPod[] | 'hidden', ours: string): string {
  const theirs = pods === 'hidden' ? undefined : pods.flatMap(({ tags }) => tags)[0];
  return theirs !== undefined && (compareVersions(theirs, ours) ?? 0) !== 0 ? `of version ${theirs}, while this command is ${ours}` : '';
}

/** The Kubernetes API is the only door: what Temporal is like is told by those who work with it. */
export async function checkTemporal(asking: Asking): Promise<Finding> {
  const [rules, manager, server, database] = await Promise.all([rulesOf(asking), podsOf('manager', asking), podsOf('temporal', asking), podsOf('postgresql', asking)]);
  const problem = podsProblem(database) ?? podsProblem(server);
  const next = problem ?? `kubectl -n ${asking.installNamespace} get pods shows whether it runs, and the log of the manager why it is not reached`;
  const waiting = waitingForTemporal(rules);
  if (waiting.length > 0) return bad(`Temporal cannot be reached, says ${waiting.join(', ')}: copies and deletions wait; Pods are routed all the same`, next);
  if (problem !== undefined) return bad('the server that the chart runs is not ready: copies and deletions wait; Pods are routed all the same', problem);
  if (manager !== 'hidden' && manager.some(({ ready }) => ready)) return good(['the workers of the manager have taken work from it', podsText(server)].filter((text) => text !== '').join(', '));
  if (rules.some(({ kind }) => kind.endsWith('Mirror'))) return good('no rule waits for it');
  return hidden('there is no rule that would say so if it could not be reached');
}
