import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { connectCluster, type KubernetesCluster } from '../../cluster/kubernetes/client.js';
import { loadKubeConfig } from '../../cluster/kubernetes/kubeconfig.js';
import type { Config } from '../../config/config.js';
import { readEnvironment, type Environment } from '../../config/environment.js';
import { parseFlags, type Flags } from '../../config/flags.js';
import { readConfig } from '../../config/load.js';
import type { HttpRegistry } from '../../registry/http/client.js';
import { createLog, type Log } from '../../telemetry/log.js';
import { createMetrics, type Metrics } from '../../telemetry/metrics.js';
import { observeRegistry } from './observe-registry.js';
import { openRegistry, weakened, type RegistryClientDeps } from '../registry-client.js';
import { readBuild } from '../version.js';

export type Role = 'run' | 'webhook' | 'manager';

/** What every process is made of: settings, and the adapters to the outside. */
export interface Base {
  readonly flags: Flags;
  readonly environment: Environment;
  readonly config: Config;
  readonly version: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly cluster: KubernetesCluster;
  readonly registry: HttpRegistry;
  /** unique per replica */
  readonly instance: string;
  close(): Promise<void>;
}

/** The start cannot go on; each problem names its flag, key or file. */
export class StartProblems extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

/** @throws StartProblems with everything that is wrong, at once */
export function buildBase(role: Role, args: readonly string[]): Base {
  const environment = readEnvironment();
  const { flags, config, warnings } = readSettings(args, environment);
  const build = readBuild();
  const { version } = build;
  const log = createLog({ level: flags.logLevel, encoder: flags.logEncoder, fields: { process: role } });
  for (const warning of warnings) log.warn({ config: flags.configPath }, warning);

  const metrics = createMetrics(build, config.metrics.imageLastMonitorAgeBuckets);
  const instance = `${hostname()}_${randomUUID()}`;
  const cluster = connectCluster(findCluster(flags, environment), { instance });
  for (const { registry: host, setting } of weakened(config)) log.warn({ registry: host, setting }, 'what this registry says is not protected by TLS');
  const registry = findRegistries({ config, environment, version, observer: observeRegistry(metrics, log) });
  metrics.registry.watchPace(() => registry.pace());
  return {
    flags, environment, config, version, log, metrics, cluster, registry, instance,
    close: async () => {
      await registry.close();
      cluster.close();
    },
  };
}

function findCluster({ kubeconfig: file }: Flags, { kubeconfig, home }: Environment): ReturnType<typeof loadKubeConfig> {
  try {
    return loadKubeConfig({ file, kubeconfig, home });
  } catch (error) {
    throw new StartProblems([`the kubeconfig cannot be used: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function findRegistries(deps: RegistryClientDeps): HttpRegistry {
  try {
    return openRegistry(deps);
  } catch (error) {
    throw new StartProblems([error instanceof Error ? error.message : String(error)]);
  }
}

interface Settings {
  readonly flags: Flags;
  readonly config: Config;
  readonly warnings: readonly string[];
}

function readSettings(args: readonly string[], environment: Environment): Settings {
  const { flags, problems } = parseFlags(args);
  if (flags === undefined) throw new StartProblems(problems);
  const loaded = readConfig(flags.configPath, environment);
  if (loaded.config === undefined) throw new StartProblems(loaded.problems);
  return { flags, config: loaded.config, warnings: loaded.warnings };
}
