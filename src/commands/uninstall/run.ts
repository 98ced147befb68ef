import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { Resource } from '../../cluster/cluster.js';
import { webhookType } from '../../cluster/kubernetes/resources.js';
import { readEnvironment } from '../../config/environment.js';
import { isFailure } from '../../domain/failure.js';
import { finalizers } from '../../domain/names.js';
import { ruleKinds, type RuleKind } from '../../domain/rule.js';
import { askCluster } from '../ask-cluster.js';
import { complain } from '../command-line.js';
import type { UninstallOptions } from '../uninstall.js';
import { managerBindingName, webhookConfigurationName } from '../webhook-names.js';

const ours: readonly string[] = Object.values(finalizers);
/** Rights that were taken away are noticed by the API server within a moment; until then a manager may hold a rule again. */
const settleMs = 3_000;

/**
 * 1. The registration goes, so that the API server asks nobody who is about to leave.
 * 2. The manager loses its rights, or it would hold rules again.
 * 3. Rules lose our finalizers, until a look after a while finds none.
 */
export async function runUninstall(options: UninstallOptions): Promise<number> {
  const environment = readEnvironment();
  const [webhook, binding] = [webhookConfigurationName({ environment }), managerBindingName({ environment })];
  return askCluster('uninstall', options, async (cluster, signal) => {
    if (await isForeign(cluster, webhook)) return complain('uninstall', `mutatingwebhookconfiguration/${webhook} is not of this kuik, perhaps of v1, and nothing was touched: KUIK_FULL_NAME says what the names of this one begin with`);
    if (options.dryRun !== 'none') {
      say(`would remove mutatingwebhookconfiguration/${webhook}, clusterrolebinding/${binding}, and finalizers from ${(await held(cluster)).length} rules`);
      return 0;
    }
    say(`mutatingwebhookconfiguration/${webhook} ${await cluster.removeWebhook(webhook)}`);
    say(`clusterrolebinding/${binding} ${await cluster.removeBinding(binding)}`);

    const over = AbortSignal.any([signal, AbortSignal.timeout(options.timeout)]);
    const left = await release(cluster, over);
    if (left.length === 0) return 0;
    return complain('uninstall', `still held, and by whom shows in their managedFields: ${left.map(({ kind, key }) => `${kind} ${key}`).join(', ')}; stop every manager and run this again`);
  });
}

/** v1 gave its registration the same name, for a webhook of another one. */
async function isForeign(cluster: Pick<KubernetesCluster, 'object' | 'registeredWebhook'>, name: string): Promise<boolean> {
  return (await cluster.object(webhookType, { name })) !== undefined && (await cluster.registeredWebhook(name)) === undefined;
}

/** @returns what is held at last */
async function release(cluster: Pick<KubernetesCluster, 'list' | 'setFinalizer'>, over: AbortSignal): Promise<readonly Resource[]> {
  for (;;) {
    for (const rule of await held(cluster)) {
      for (const finalizer of ours) await cluster.setFinalizer(rule, finalizer, false);
      say(`${rule.kind} ${rule.key} released`);
    }
    await sleep(settleMs, undefined, { signal: over }).catch(() => undefined);
    const left = await held(cluster);
    if (left.length === 0 || over.aborted) return left;
  }
}

async function held(cluster: Pick<KubernetesCluster, 'list'>): Promise<readonly Resource[]> {
  const rules = (await Promise.all(ruleKinds.map((kind) => listed(kind, cluster)))).flat();
  return rules.filter(({ finalizers: present }) => present.some((each) => ours.includes(each)));
}

/** None of a kind that is not defined, be it not yet or not any more. */
async function listed(kind: RuleKind, cluster: Pick<KubernetesCluster, 'list'>): Promise<readonly Resource[]> {
  try {
    return await cluster.list(kind);
  } catch (error) {
    if (isFailure(error) && error.code === 'missing') return [];
    throw error;
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
