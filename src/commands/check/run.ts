import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import { readEnvironment } from '../../config/environment.js';
import { annotations } from '../../domain/names.js';
import { askCluster } from '../ask-cluster.js';
import type { CheckOptions } from '../check.js';
import { cliVersion, printJson } from '../command-line.js';
import { webhookConfigurationName } from '../webhook-names.js';

const lookEveryMs = 2_000;

type Asked = Pick<KubernetesCluster, 'registeredWebhook' | 'tryPod'>;

export async function runCheck(options: CheckOptions): Promise<number> {
  const environment = readEnvironment();
  const { namespace = environment.installNamespace } = options;
  const name = webhookConfigurationName({ environment });
  return askCluster('check', options, async (cluster, signal) => {
    const over = AbortSignal.any([signal, AbortSignal.timeout(options.timeout)]);
    const problem = await lastProblem(() => problemOf(cluster, name, namespace), over);
    if (options.output === 'json') printJson({ apiVersion: cliVersion, kind: 'Check', webhook: { name, namespace, answers: problem === undefined, ...(problem === undefined ? {} : { problem }) } });
    else process.stdout.write(problem === undefined ? `the webhook ${name} answers\n` : `the webhook ${name} does not answer: ${problem}\n`);
    return problem === undefined ? 0 : 2;
  });
}

/** Asks until there is no problem, or the time is over. */
async function lastProblem(ask: () => Promise<string | undefined>, over: AbortSignal): Promise<string | undefined> {
  for (;;) {
    const problem = await ask();
    if (problem === undefined || over.aborted) return problem;
    await sleep(lookEveryMs, undefined, { signal: over }).catch(() => undefined);
  }
}

/** @returns why a Pod is not routed, with the next step; undefined when it is */
export async function problemOf(cluster: Asked, name: string, namespace: string): Promise<string | undefined> {
  const registered = await cluster.registeredWebhook(name);
  if (registered === undefined) return 'it is not registered; is kuik installed under another name? KUIK_FULL_NAME says which';
  if (registered.caBundle === '') return 'nobody has published its authority yet; kubectl logs of the manager tells why';
  const marks = await cluster.tryPod(namespace, aPod(namespace));
  if (marks[annotations.reason] !== undefined) return undefined;
  return `a Pod in ${namespace} came back without ${annotations.reason}; look whether its Pods are ready, whether the API server reaches its Service, and whether that namespace is labelled to be ignored or deselected by manager.webhook.namespaceSelector`;
}

/** Lawful in a restricted namespace; its image is never pulled, so that no registry is asked about it. */
function aPod(namespace: string): object {
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `kuik-check-${randomUUID()}`, namespace },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'check', image: 'kuik.invalid/check:1', imagePullPolicy: 'Never', resources: { requests: { cpu: '1m', memory: '1Mi' }, limits: { cpu: '1m', memory: '1Mi' } }, securityContext }] },
  };
}
