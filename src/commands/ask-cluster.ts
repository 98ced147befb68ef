/** A command's way to the cluster: the Kubernetes API is the only door of the command line (ADR 10). */
import process from 'node:process';
import type { KubeConfig } from '@kubernetes/client-node';
import { connectCluster, type KubernetesCluster } from '../cluster/kubernetes/client.js';
import { loadKubeConfig } from '../cluster/kubernetes/kubeconfig.js';
import { readEnvironment } from '../config/environment.js';
import { isFailure, type Failure, type FailureCode } from '../domain/failure.js';
import { complain, type ClusterChoice } from './command-line.js';
import { interrupted } from './copy/outcome.js';

const signals = ['SIGINT', 'SIGTERM'] as const;
const patienceMs = 2_000;

/**
 * Works with the chosen cluster. What goes wrong on the way is said with its next step.
 *
 * @param work ends when its signal aborts, which is Ctrl-C
 * @returns what the work returned; 1 when the cluster cannot be reached or refuses, 130 when interrupted
 */
export async function askCluster(command: string, choice: ClusterChoice, work: (cluster: KubernetesCluster, signal: AbortSignal) => Promise<number>): Promise<number> {
  const config = findCluster(choice);
  if (typeof config === 'string') return complain(command, config);

  const cluster = connectCluster(config, { instance: 'kuik-cli' });
  const interrupt = new AbortController();
  const onSignal = (): void => {
    interrupt.abort();
    // who waits for a server that says nothing is not let wait for its time to be over
    setTimeout(() => process.exit(interrupted), patienceMs).unref();
  };
  for (const name of signals) process.once(name, onSignal); // once: the second one ends us at once
  try {
    const code = await work(cluster, interrupt.signal);
    return interrupt.signal.aborted ? interrupted : code;
  } catch (error) {
    if (interrupt.signal.aborted) return interrupted;
    if (!isFailure(error)) throw error;
    return complain(command, withNextStep(error));
  } finally {
    for (const name of signals) process.off(name, onSignal);
    cluster.close();
  }
}

function findCluster({ kubeconfig: file, context }: ClusterChoice): KubeConfig | string {
  const { kubeconfig, home } = readEnvironment();
  try {
    return loadKubeConfig({ file, kubeconfig, home, context });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What a person does about an API server that fails us; codes without an entry speak for themselves. */
const steps: Partial<Readonly<Record<FailureCode, string>>> = {
  unreachable: 'check it with kubectl cluster-info, or name another cluster with --context',
  timeout: 'check it with kubectl cluster-info, or try again',
  tls: 'check certificate-authority of the cluster in the kubeconfig',
  unauthorized: 'log in again, or name another user with --context',
  missing: 'is kuik installed in this cluster? kubectl get crd imageavailabilities.kuik.enix.io tells',
};

/** The message names what was asked for; the next step follows. */
export function withNextStep({ code, message }: Pick<Failure, 'code' | 'message'>): string {
  const step = steps[code];
  return step === undefined ? message : `${message}; ${step}`;
}
