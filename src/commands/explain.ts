/**
 * `kuik explain`: where would each container pull from, and why. Reads rules and records from the cluster and calls
 * the function that decides at admission; it changes nothing.
 */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { Command, CommanderError } from 'commander';
import { connectCluster, type KubernetesCluster } from '../cluster/kubernetes/client.js';
import { loadKubeConfig } from '../cluster/kubernetes/kubeconfig.js';
import { readEnvironment } from '../config/environment.js';
import { readConfig, usualConfigPath } from '../config/load.js';
import type { Pod } from '../domain/usage.js';
import { credentialId } from '../registry/keyring.js';
import { createMetrics } from '../telemetry/metrics.js';
import { decidePod, type RouteDeps } from '../webhook/route.js';
import { asWritten, podsIn } from './explain/pods.js';
import { explanationOf, printExplanation, type Explanation } from './explain/report.js';
import { readViews } from './read-views.js';
import { openRegistry } from './registry-client.js';
import { routeDeps } from './serve-webhook.js';
import { readBuild } from './version.js';

interface Options {
  readonly filename?: string;
  readonly namespace: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly config: string;
  readonly output: string;
}

/** @returns 0 every image can be pulled from somewhere, 1 failed, 2 an image can be pulled from nowhere, 130 interrupted */
export async function explain(args: readonly string[]): Promise<number> {
  const command = commandLine();
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    throw error;
  }
  const options = command.opts<Options>();
  const [what] = command.args;
  if ((what === undefined) === (options.filename === undefined)) return complain('name a Pod (pod/NAME) or a file (-f), and not both');
  if (!['table', 'json'].includes(options.output)) return complain(`-o ${options.output}: write table or json`);

  const environment = readEnvironment();
  const loaded = readConfig(options.config, environment);
  if (loaded.config === undefined) return complain(...loaded.problems);
  const { version } = readBuild();
  const { config } = loaded;
  const cluster = connectCluster(loadKubeConfig({ file: options.kubeconfig, kubeconfig: environment.kubeconfig, home: environment.home, context: options.context }));
  const registry = openRegistry({ config, environment, version });
  try {
    const pods = what === undefined ? await podsFrom(options) : await podNamed(what, options, cluster);
    if (typeof pods === 'string') return complain(pods);
    const views = await readViews(cluster, environment.installNamespace);
    const metrics = createMetrics({ version, revision: '', built: '' });
    const explanations = await explainAll(pods, routeDeps({ config, cluster, registry, metrics }, views), cluster);
    process.stdout.write(options.output === 'json' ? `${JSON.stringify(list(explanations), undefined, 2)}\n` : explanations.map(printExplanation).join('\n'));
    return explanations.some(({ containers }) => containers.some(({ reason }) => reason === 'NoPlaceAvailable')) ? 2 : 0;
  } finally {
    await registry.close();
    cluster.close();
  }
}

function commandLine(): Command {
  return new Command('kuik explain')
    .description('Where would each container pull from, and why: the places in order of rank, what is known of each, the verdict.')
    .argument('[pod]', 'pod/NAME: a Pod of the cluster, explained as if it were created now')
    .option('-f, --filename <file>', 'manifests with Pods or workloads; - is standard input')
    .option('-n, --namespace <name>', 'namespace of the Pod, and of manifests that name none', 'default')
    .option('--kubeconfig <file>', 'which cluster to ask; else KUBECONFIG, ~/.kube/config')
    .option('--context <name>', 'context of that file')
    .option('--config <file>', "kuik's configuration, as the webhook reads it", usualConfigPath)
    .option('-o, --output <form>', 'table or json', 'table')
    .exitOverride();
}

async function podsFrom({ filename = '-', namespace }: Options): Promise<readonly Pod[] | string> {
  try {
    const manifest = filename === '-' ? await text(process.stdin) : await readFile(filename, 'utf8');
    const pods = podsIn(manifest, namespace);
    return pods.length > 0 ? pods : `${filename}: no Pod and no workload in it; known are Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob`;
  } catch (error) {
    return `${filename}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function podNamed(what: string, { namespace }: Options, cluster: KubernetesCluster): Promise<readonly Pod[] | string> {
  const [kind, name, ...more] = what.split('/');
  if (name === undefined || name === '' || more.length > 0 || !['pod', 'pods', 'po'].includes(kind ?? '')) return `${what}: write pod/NAME; for workloads use -f with their manifest`;
  const pod = await cluster.pod(namespace, name);
  return pod === undefined ? `pod ${namespace}/${name} not found; -n names another namespace` : [pod];
}

async function explainAll(pods: readonly Pod[], deps: RouteDeps, cluster: KubernetesCluster): Promise<Explanation[]> {
  const explanations: Explanation[] = [];
  for (const pod of pods) {
    const written = asWritten(pod);
    const decision = await decidePod(written, { usages: written.usages, mayAddSecrets: true, isDryRun: true }, deps);
    explanations.push(await explanationOf(pod, decision, (candidate) => secretNames(candidate.secret, pod, cluster)));
  }
  return explanations;
}

/** Whose version each credential identity is, so that people read a Secret's name. Secrets that cannot be read stay numbers. */
async function secretNames(own: { namespace: string; name: string } | undefined, pod: Pod, cluster: KubernetesCluster): Promise<ReadonlyMap<string, string>> {
  const refs = [...(own === undefined ? [] : [own]), ...pod.pullSecrets.map((name) => ({ namespace: pod.namespace, name }))];
  const secrets = await Promise.all(refs.map((ref) => cluster.secret(ref).catch(() => undefined)));
  return new Map(secrets.flatMap((secret) => (secret === undefined ? [] : [[credentialId(secret), `${secret.namespace}/${secret.name}`]])));
}

function list(items: readonly Explanation[]): object {
  return { apiVersion: 'cli.kuik.enix.io/v1', kind: 'ExplanationList', items };
}

function complain(...problems: readonly string[]): number {
  for (const problem of problems) process.stderr.write(`kuik explain: ${problem}\n`);
  return 1;
}
