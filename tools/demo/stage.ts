import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Coming } from '../coming.js';
import { ask } from '../health.js';
import { projectRoot } from '../programs.js';
import { freePort, startApiServer, startRegistry, startTemporal, toolOutput } from '../servers.js';
import type { ApiServer, RegistryServer, TemporalServer } from '../servers.js';
import { configuration as configurationText, startKuik } from './kuik.js';
import type { Kuik, KuikOptions } from './kuik.js';

export interface StageOptions {
  readonly dir: string;
  /** told what has just started */
  readonly onStart?: (what: string) => void;
  /** serve the Temporal UI; no unless told */
  readonly ui?: boolean;
  /** `away`: kuik starts before Temporal does */
  readonly temporal?: 'started' | 'away';
  /** more configuration of kuik, as YAML lines */
  readonly configuration?: string;
  /** puts something between kuik and Temporal; given its address, answers with the one that kuik is told */
  readonly temporalLine?: (address: string) => Promise<string>;
  /** `kept`: the log of "mirror" gets a line per request */
  readonly accessLog?: 'kept';
  /** passwords by user, for registries that want one */
  readonly passwords?: { readonly source?: Readonly<Record<string, string>>; readonly mirror?: Readonly<Record<string, string>> };
  /** `two`: webhook and manager are processes of their own, as in a cluster; one unless told */
  readonly processes?: 'one' | 'two';
  /** another cluster, whose registries and Temporal are used as well; they end with that one */
  readonly beside?: Stage;
  /** whom a process asks the API server as; the cluster's admin unless told */
  readonly account?: (role: KuikOptions['role'], api: ApiServer) => Promise<string>;
  /** what the names of its objects begin with; kube-image-keeper unless told */
  readonly fullName?: string;
  /** name of the cluster among those that share Temporal; the UID of kube-system unless told */
  readonly clusterId?: string;
}

/**
 * The servers a story is played on, each a real one on a free loopback port: etcd and kube-apiserver, two
 * registries, Temporal, and `kuik run`. The demo, the end-to-end tests and the fault tests share it.
 */
export class Stage {
  /** what one step leaves for a later one */
  readonly notes = new Map<string, string>();
  readonly source: Coming<RegistryServer>;
  /** `host:port` of the registry the story is about; it stays when the registry goes */
  readonly sourceAddress: string;
  readonly mirror: RegistryServer;
  readonly temporal: Coming<TemporalServer>;
  /** `host:port`; it stays when the server goes */
  readonly temporalAddress: string;
  /** answers reviews; both halves where there is one process */
  readonly kuik: Coming<Kuik>;
  /** the other half, where there are two */
  readonly manager: Coming<Kuik> | undefined;
  /** whose registries and Temporal these are; undefined when they are its own */
  readonly #host: Stage | undefined;

  private constructor(
    readonly dir: string,
    readonly api: ApiServer,
    around: Around,
    parts: Pick<Stage, 'kuik' | 'manager'>,
    host: Stage | undefined,
  ) {
    this.source = around.source;
    this.sourceAddress = around.sourceAddress;
    this.mirror = around.mirror;
    this.temporal = around.temporal;
    this.temporalAddress = around.temporalAddress;
    this.kuik = parts.kuik;
    this.manager = parts.manager;
    this.#host = host;
  }

  static async open(options: StageOptions): Promise<Stage> {
    const { dir, onStart = () => undefined, configuration, processes = 'one', beside, clusterId, fullName } = options;
    await mkdir(dir, { recursive: true });
    const kubernetes = startApiServer({ dir: join(dir, 'api') });
    const told = kubernetes.then(({ url }) => onStart(`etcd and kube-apiserver${clusterId === undefined ? '' : ` of cluster ${clusterId}`} at ${url}`), () => undefined);
    // what starts beside the API server is told of after it
    const [api, around] = await Promise.all([kubernetes, beside ?? startAround(options, (what) => void told.then(() => onStart(what)))]);
    const temporalAddress = await (options.temporalLine?.(around.temporalAddress) ?? around.temporalAddress);

    const until = options.temporal === 'away' ? 'answering' : 'ready';
    const started = async (role: 'run' | 'webhook' | 'manager'): Promise<Coming<Kuik>> => {
      const ports = { webhook: await freePort(), metrics: await freePort(), sdkMetrics: await freePort(), health: await freePort() };
      return new Coming(async () => startKuik({ role, dir, kubeconfig: (await options.account?.(role, api)) ?? api.kubeconfig, temporalAddress, ports, configuration, clusterId, fullName, until }));
    };
    const kuik = await started(processes === 'one' ? 'run' : 'webhook');
    const manager = processes === 'one' ? undefined : await started('manager');
    const stage = new Stage(dir, api, around, { kuik, manager }, beside);
    await stage.#prepareCluster({ fullName, text: configurationText(temporalAddress, { configuration, clusterId }) });
    await Promise.all([kuik.start(), manager?.start()]);
    onStart(`kuik ${processes === 'one' ? 'run' : 'webhook and kuik manager'}: webhook installed, views synced, workers polling`);
    return stage;
  }

  /** `host:port/library/NAME:TAG` at the source */
  image(name = 'web:1.0'): string {
    return `${this.sourceAddress}/library/${name}`;
  }

  /** where `examples/quickstart.yaml` keeps it */
  copyOf(name = 'web:1.0'): string {
    return `${this.mirror.address}/kept/library/${name}`;
  }

  kubectl(...args: string[]): Promise<string> {
    return toolOutput('kubectl', ['--kubeconfig', this.api.kubeconfig, ...args]);
  }

  /** What the API server answers at a path: for whoever asks again and again, since a kubectl costs more than what it waits for. */
  async read<T>(path: string): Promise<T> {
    const { url, token, caFile } = this.api;
    const { status, body } = await ask(`${url}${path}`, { token, caFile, timeoutMs: 30_000 });
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${body}`);
    return JSON.parse(body) as T;
  }

  apply(manifest: string): Promise<string> {
    return toolOutput('kubectl', ['--kubeconfig', this.api.kubeconfig, 'apply', '-f', '-'], { input: manifest });
  }

  crane(...args: string[]): Promise<string> {
    // its logins are the stage's own
    return toolOutput('crane', args, { timeoutMs: 300_000, env: { DOCKER_CONFIG: join(this.dir, 'docker') } });
  }

  /** Nobody looks at it any more: what it wrote goes with its folder, so nothing is waited for. */
  async close(): Promise<void> {
    const around = this.#host === undefined ? [this.temporal.stop('kill'), this.source.stop('kill'), this.mirror.kill()] : [];
    await Promise.all([this.kuik.stop('kill'), this.manager?.stop('kill'), ...around, this.api.kill()]);
  }

  /** What the chart puts there before kuik starts: commands read the settings that kuik has. */
  async #prepareCluster({ fullName = 'kube-image-keeper', text }: { readonly fullName?: string; readonly text: string }): Promise<void> {
    const kinds = async (): Promise<void> => {
      await this.kubectl('apply', '--server-side', '-f', join(projectRoot(), 'charts', 'kube-image-keeper', 'crds'));
      await this.kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
    };
    const labels = { 'app.kubernetes.io/part-of': 'kube-image-keeper', 'app.kubernetes.io/component': 'manager' };
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${fullName}-manager-config`, namespace: 'kuik-system', labels }, data: { 'config.yaml': text } };
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kuik-system' } };
    const settings = this.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [namespace, configMap] }));
    await Promise.all([kinds(), settings]);
  }
}

/** What clusters may share. */
type Around = Pick<Stage, 'source' | 'sourceAddress' | 'mirror' | 'temporal' | 'temporalAddress'>;

async function startAround({ dir, ui = false, temporal: wanted = 'started', passwords = {}, accessLog }: StageOptions, onStart: (what: string) => void): Promise<Around> {
  const [sourcePort, temporalPort] = [await freePort(), await freePort()];
  const source = new Coming(() => startRegistry({ name: 'source', dir: join(dir, 'source'), port: sourcePort, htpasswd: passwords.source }));
  const temporal = new Coming(() => startTemporal({ dbFile: join(dir, 'temporal', 'temporal.db'), port: temporalPort, ui }));

  const { address: sourceAddress } = await source.start();
  onStart(`registry "source" at ${sourceAddress}`);
  const mirror = await startRegistry({ name: 'mirror', dir: join(dir, 'mirror'), htpasswd: passwords.mirror, accessLog });
  onStart(`registry "mirror" at ${mirror.address}`);
  if (wanted === 'started') {
    const { uiUrl, address: at } = await temporal.start();
    onStart(`Temporal at ${at}${uiUrl === undefined ? '' : `, its UI at ${uiUrl}`}`);
  }
  return { source, sourceAddress, mirror, temporal, temporalAddress: `127.0.0.1:${temporalPort}` };
}

/** A file of `examples/`, as users get it. */
export function example(name: string): Promise<string> {
  return readFile(join(projectRoot(), 'examples', name), 'utf8');
}
