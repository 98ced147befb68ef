import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { KubeConfig, loadYaml } from '@kubernetes/client-node';

/** Where to look for a cluster. Nothing here is read from the environment: the caller hands in what counts. */
export interface ClusterLocation {
  /** file named on purpose; nothing else is looked at then */
  readonly file?: string;
  /** value of `KUBECONFIG`: several files as in PATH, the first that names a thing wins */
  readonly kubeconfig?: string;
  /** home directory, whose `.kube/config` comes next */
  readonly home?: string;
  /** context to use instead of the current one */
  readonly context?: string;
}

const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Finds the cluster as kubectl does: a named file, `KUBECONFIG`, `~/.kube/config`, and last the ServiceAccount of
 * the Pod we run in.
 *
 * @throws Error when nothing is found, or what is found cannot be read; the message names the files
 */
export function loadKubeConfig(location: ClusterLocation): KubeConfig {
  const files = filesOf(location);
  const config = readFiles(files);
  if (location.context !== undefined) config.setCurrentContext(location.context);
  if (config.getCurrentCluster() === null) throw new Error(`no cluster found: context ${JSON.stringify(config.getCurrentContext() ?? '')} is not defined in ${files.join(', ')}; kubectl config get-contexts lists them`);
  return config;
}

function filesOf({ file, kubeconfig, home }: ClusterLocation): readonly string[] {
  if (file !== undefined) return [file];
  const listed = (kubeconfig ?? '').split(delimiter).filter((name) => name !== '');
  if (listed.length > 0) return listed.filter((name) => existsSync(name)); // like kubectl: absent ones are passed over
  const usual = home === undefined ? undefined : join(home, '.kube', 'config');
  return usual !== undefined && existsSync(usual) ? [usual] : [];
}

function readFiles(files: readonly string[]): KubeConfig {
  const [first, ...others] = files.map(readFile);
  if (first === undefined) return inCluster();
  for (const other of others) {
    other.clusters = other.clusters.filter(({ name }) => !first.clusters.some((known) => known.name === name));
    other.users = other.users.filter(({ name }) => !first.users.some((known) => known.name === name));
    other.contexts = other.contexts.filter(({ name }) => !first.contexts.some((known) => known.name === name));
    first.mergeConfig(other, Boolean(first.currentContext));
  }
  return first;
}

function readFile(file: string): KubeConfig {
  try {
    const config = new KubeConfig();
    config.loadFromFile(file);
    return withTokenFiles(config, file);
  } catch (error) {
    throw new Error(`kubeconfig ${file}: ${error instanceof Error ? error.message : String(error)}; name another with --kubeconfig or KUBECONFIG`, { cause: error });
  }
}

interface UserEntry {
  readonly name?: string;
  readonly user?: { readonly token?: string; readonly tokenFile?: string };
}

/** The client knows re-read token files only in a cluster; `tokenFile` of a kubeconfig means the same. */
function withTokenFiles(config: KubeConfig, file: string): KubeConfig {
  const { users = [] } = loadYaml<{ users?: readonly UserEntry[] }>(readFileSync(file, 'utf8')) ?? {};
  for (const { name, user } of users) {
    const known = config.users.find((candidate) => candidate.name === name);
    if (known === undefined || user?.tokenFile === undefined || user.token) continue;
    Object.assign(known, { authProvider: { name: 'tokenFile', config: { tokenFile: resolve(dirname(file), user.tokenFile) } } });
  }
  return config;
}

function inCluster(): KubeConfig {
  if (!existsSync(serviceAccountToken)) throw new Error('no cluster found: name a kubeconfig file with --kubeconfig, set KUBECONFIG, or run in a Pod with a ServiceAccount');
  const config = new KubeConfig();
  config.loadFromCluster();
  return config;
}
