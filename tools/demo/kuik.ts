import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ask, isOk } from '../health.js';
import { projectRoot } from '../programs.js';
import { launch } from '../servers.js';
import type { Server } from '../servers.js';

/** kuik as a process of its own, started as a user would. */
export interface Kuik extends Server {
  /** `http://127.0.0.1:PORT/metrics` */
  readonly metricsUrl: string;
  /** the same of the Temporal SDK, where a port was given for them; nothing answers in `kuik webhook` */
  readonly sdkMetricsUrl: string;
  /** `http://127.0.0.1:PORT`, with /healthz and /readyz */
  readonly healthUrl: string;
  /** `https://127.0.0.1:PORT`: where reviews are answered */
  readonly webhookUrl: string;
  /** what `kuik explain` prints */
  explain(...args: string[]): Promise<string>;
}

export interface KuikOptions {
  /** `run` is both halves in one process */
  readonly role: 'run' | 'webhook' | 'manager';
  readonly dir: string;
  readonly kubeconfig: string;
  readonly temporalAddress: string;
  readonly ports: { readonly webhook: number; readonly metrics: number; readonly sdkMetrics?: number; readonly health: number };
  /** how long an answer of a registry counts: one second unless told, so that nobody has to wait for an outage to be noticed */
  readonly factsLive?: string;
  /** more configuration, as YAML lines */
  readonly configuration?: string;
  /** name of the cluster among those that share Temporal, which it then does */
  readonly clusterId?: string;
  /** what the names of its objects in the cluster begin with; kube-image-keeper unless told */
  readonly fullName?: string;
  /** `by-kuik`, as outside a cluster, unless told; `by-chart`: the registration is there, and kuik writes its CA bundle only */
  readonly registered?: 'by-kuik' | 'by-chart';
  /** how long to wait: until everything is there, or until reviews are answered */
  readonly until: 'ready' | 'answering';
}

const program = join(projectRoot(), 'bin', 'kuik');
const graceMs = 30_000; // what it may take to end: activities under way get 20 s, and Kubernetes kills it after 45 s

export async function startKuik(options: KuikOptions): Promise<Kuik> {
  const { role, dir, kubeconfig, temporalAddress, ports, fullName, registered, until } = options;
  const config = join(dir, `${role}.yaml`);
  await writeFile(config, configuration(temporalAddress, options));

  const healthUrl = `http://127.0.0.1:${ports.health}`;
  const server = await launch({
    name: `kuik ${role}`,
    command: program,
    args: [
      role,
      `-config=${config}`,
      `-kubeconfig=${kubeconfig}`,
      `-webhook-bind-address=127.0.0.1:${ports.webhook}`,
      ...(registered === 'by-chart' ? [] : [`-webhook-url=https://127.0.0.1:${ports.webhook}`]),
      `-metrics-bind-address=127.0.0.1:${ports.metrics}`,
      '-metrics-secure=false',
      ...(ports.sdkMetrics === undefined ? [] : [`-temporal-metrics-bind-address=127.0.0.1:${ports.sdkMetrics}`]),
      `-health-probe-bind-address=127.0.0.1:${ports.health}`,
    ],
    env: { POD_NAMESPACE: 'kuik-system', ...(fullName !== undefined && { KUIK_FULL_NAME: fullName }) },
    logFile: join(dir, `kuik-${role}.log`),
    graceMs,
    ready: async () => (until === 'ready' ? isOk(`${healthUrl}/readyz`) : answers(healthUrl)),
  });
  return {
    ...server,
    metricsUrl: `http://127.0.0.1:${ports.metrics}/metrics`,
    sdkMetricsUrl: `http://127.0.0.1:${ports.sdkMetrics}/metrics`,
    healthUrl,
    webhookUrl: `https://127.0.0.1:${ports.webhook}`,
    explain: async (...args) => (await promisify(execFile)(program, ['explain', ...args, '--kubeconfig', kubeconfig, '--config', config])).stdout.trimEnd(),
  };
}

/** Whether everything a review needs is there, Temporal apart. */
async function answers(healthUrl: string): Promise<boolean> {
  const { body } = await ask(`${healthUrl}/readyz`);
  return ['views', 'certificate', 'webhook'].every((check) => body.includes(`[+]${check} ok`));
}

/** The file that it is started with. */
export function configuration(temporalAddress: string, { clusterId, factsLive = '1s', configuration: more = '' }: Pick<KuikOptions, 'clusterId' | 'factsLive' | 'configuration'>): string {
  return `temporal:
  address: ${temporalAddress}
  shared: ${clusterId !== undefined}
routing:
  activeCheck:
    positiveTTL: ${factsLive}
    negativeTTL: 1s
${clusterId === undefined ? '' : `clusterId: ${clusterId}\n`}${more}`;
}
