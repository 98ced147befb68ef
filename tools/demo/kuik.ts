import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { isOk } from '../health.js';
import { projectRoot } from '../programs.js';
import { freePort, launch, type Server } from '../servers.js';

/** `kuik run` as a process of its own, started as a user would. */
export interface Kuik extends Server {
  /** `http://127.0.0.1:PORT/metrics` */
  readonly metricsUrl: string;
  /** `http://127.0.0.1:PORT`, with /healthz and /readyz */
  readonly healthUrl: string;
  /** what `kuik explain` prints */
  explain(...args: string[]): Promise<string>;
  /** ends it with SIGKILL and starts it again with the same ports and settings */
  restart(): Promise<Kuik>;
}

export interface KuikOptions {
  readonly dir: string;
  readonly kubeconfig: string;
  readonly temporalAddress: string;
  readonly ports?: KuikPorts;
  /** more configuration, as YAML lines */
  readonly configuration?: string;
}

interface KuikPorts {
  readonly webhook: number;
  readonly metrics: number;
  readonly health: number;
}

const program = join(projectRoot(), 'bin', 'kuik');

/** Starts it and waits until it is ready: views synced, certificate installed, workers polling. */
export async function startKuik(options: KuikOptions): Promise<Kuik> {
  const { dir, kubeconfig, temporalAddress } = options;
  const ports = options.ports ?? { webhook: await freePort(), metrics: await freePort(), health: await freePort() };
  const config = join(dir, 'kuik.yaml');
  await writeFile(config, configuration(temporalAddress, options.configuration));

  const healthUrl = `http://127.0.0.1:${ports.health}`;
  const server = await launch({
    name: 'kuik',
    command: program,
    args: [
      'run',
      `-config=${config}`,
      `-kubeconfig=${kubeconfig}`,
      `-webhook-bind-address=127.0.0.1:${ports.webhook}`,
      `-webhook-url=https://127.0.0.1:${ports.webhook}/mutate--v1-pod`,
      `-metrics-bind-address=127.0.0.1:${ports.metrics}`,
      '-metrics-secure=false',
      `-health-probe-bind-address=127.0.0.1:${ports.health}`,
    ],
    env: { POD_NAMESPACE: 'kuik-system' },
    logFile: join(dir, 'kuik.log'),
    ready: () => isOk(`${healthUrl}/readyz`),
  });
  return {
    ...server,
    metricsUrl: `http://127.0.0.1:${ports.metrics}/metrics`,
    healthUrl,
    explain: async (...args) => (await promisify(execFile)(program, ['explain', ...args, '--kubeconfig', kubeconfig, '--config', config])).stdout.trimEnd(),
    restart: async () => {
      await server.kill();
      return startKuik({ ...options, ports });
    },
  };
}

/** Facts live one second here instead of thirty, so that nobody has to wait for an outage to be noticed. */
function configuration(temporalAddress: string, more = ''): string {
  return `temporal:
  address: ${temporalAddress}
routing:
  activeCheck:
    positiveTTL: 1s
    negativeTTL: 1s
${more}`;
}
