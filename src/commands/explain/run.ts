import process from 'node:process';
import type { Cluster } from '../../cluster/cluster.js';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import { readEnvironment } from '../../config/environment.js';
import { registryItemOf } from '../../config/registries.js';
import { parseImageRef } from '../../domain/image-ref.js';
import { credentialId } from '../../registry/keyring.js';
import { createMetrics } from '../../telemetry/metrics.js';
import { questionsOfCreate } from '../../webhook/questions.js';
import { decidePod, type RouteDeps } from '../../webhook/route.js';
import { askCluster } from '../ask-cluster.js';
import { cliVersion, complain } from '../command-line.js';
import type { ExplanationList } from '../documents/explain.js';
import type { ExplainOptions } from '../explain.js';
import { readSettings, type Settings } from '../manager-config.js';
import { isData, printDocument } from '../output.js';
import { readViewsOf } from '../read-views.js';
import { openRegistry } from '../registry-client.js';
import { routeDeps } from '../route-base.js';
import { readBuild } from '../version.js';
import { askedPods, Unanswerable, type Asked } from './ask.js';
import { asIfText, forgetful, pretending, readAsIf, type AsIf } from './as-if.js';
import { asWritten, type AskedPod } from './pods.js';
import { explanationOf, isGood, printExplanation, type Explanation } from './report.js';
import { ReadableSecrets, withoutHidden } from './unreadable.js';

export async function runExplain(objects: readonly string[], options: ExplainOptions): Promise<number> {
  const environment = readEnvironment();
  const asIf = readAsIf(options.asIf);
  if (typeof asIf === 'string') return complain('explain', asIf);

  return askCluster('explain', options, async (cluster) => {
    const settings = await readSettings({ cluster, environment, file: options.config, needsFiles: true });
    if ('problems' in settings) return complain('explain', ...settings.problems);
    const asked = await askedPods(objects, options, cluster).catch(complaint);
    if (typeof asked === 'number') return asked;
    const { explanations, remarks, hidden } = await explainAll(asked, asIf, { cluster, settings });
    complain('explain', ...hiddenTexts(hidden), ...remarks);
    if (isData(options.output)) await printDocument(listOf(explanations, asIf, hidden), options.output);
    else process.stdout.write(textOf(explanations, asIf, options.output));
    return explanations.every((explanation) => isGood(explanation, asIf)) ? 0 : 2;
  });
}

function textOf(explanations: readonly Explanation[], asIf: AsIf, form: 'table' | 'wide' | 'name'): string {
  if (form !== 'name') return explanations.map((explanation) => printExplanation(explanation, form)).join('\n');
  const bad = explanations.filter((explanation) => !isGood(explanation, asIf));
  return [...new Set(bad.map(({ name }) => `${name.includes('/') ? name : `pod/${name}`}\n`))].join('');
}

function complaint(error: unknown): 1 {
  if (error instanceof Unanswerable) return complain('explain', error.message);
  throw error;
}

const atOnce = 8; // most of the time is that of probes

interface World {
  readonly cluster: KubernetesCluster;
  readonly settings: Settings;
}

interface Explained {
  readonly explanations: readonly Explanation[];
  /** what somebody should know about how they came to be */
  readonly remarks: readonly string[];
  /** what may not be read, as `list imageavailabilities`, and so did not count */
  readonly hidden: readonly string[];
}

/** Decides about all of them as the webhook would, a few at a time. */
export async function explainAll({ pods, remarks }: Asked, asIf: AsIf, { cluster, settings }: World): Promise<Explained> {
  const { config, environment, hidden, missing } = settings;
  const { version } = readBuild();
  const registry = openRegistry({ config, environment, version });
  try {
    const secrets = new ReadableSecrets(cluster);
    const eyes: Pick<Cluster, 'secret' | 'applySecret' | 'deleteSecret'> = {
      secret: (ref) => secrets.secret(ref),
      applySecret: (secret, manager) => cluster.applySecret(secret, manager),
      deleteSecret: (ref, version) => cluster.deleteSecret(ref, version),
    };
    const metrics = createMetrics({ version, revision: '', built: '' });
    const views = await readViewsOf([...new Set(pods.map(({ pod }) => pod.namespace))], cluster, environment.installNamespace);
    const deps = routeDeps({ config, cluster: eyes, registry: pretending(registry, asIf), metrics }, views);
    const seeing = withoutHidden({ ...deps, records: forgetful(deps.records, asIf) }, secrets);
    const explanations: Explanation[] = [];
    const left = [...pods.entries()];
    const worker = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) explanations[next[0]] = await explainPod(next[1], { deps: seeing, secrets, asIf });
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return {
      explanations,
      remarks: [...(missing === undefined ? [] : [missing]), ...remarks, ...imagined(asIf, explanations), ...unread(secrets), ...askedWithout(settings, explanations)],
      hidden: [...(hidden === undefined ? [] : [hidden]), ...views.hidden],
    };
  } finally {
    await registry.close();
  }
}

/** A Pod that is there is explained as its user wrote it; one that is to be made, as the webhook would meet it. */
export async function explainPod({ pod, isLive }: AskedPod, { deps, secrets, asIf }: { readonly deps: RouteDeps; readonly secrets: ReadableSecrets; readonly asIf: AsIf }): Promise<Explanation> {
  const usages = isLive ? asWritten(pod) : questionsOfCreate(pod).usages;
  const recorded = pod.usages.filter(({ key }) => !usages.some((usage) => usage.key === key));
  const decision = await decidePod({ ...pod, usages }, { usages, mayAddSecrets: true, isDryRun: true, deadlineMs: deps.settings.deadlineMs }, deps);
  return explanationOf({ pod, recorded, decision, asIf, now: deps.clock.now() }, ({ secret }) => secretNames(secret, pod, secrets));
}

/** Whose version each credential identity is, so that people read a Secret's name. Secrets that cannot be read stay numbers. */
async function secretNames(own: { namespace: string; name: string } | undefined, pod: AskedPod['pod'], secrets: ReadableSecrets): Promise<ReadonlyMap<string, string>> {
  const refs = [...(own === undefined ? [] : [own]), ...pod.pullSecrets.map((name) => ({ namespace: pod.namespace, name }))];
  const found = await Promise.all(refs.map((ref) => secrets.secret(ref).catch(() => undefined)));
  return new Map(found.flatMap((secret) => (secret === undefined ? [] : [[credentialId(secret), `${secret.namespace}/${secret.name}`]])));
}

/** A slip of the pen in `--as-if` would look like good news. */
function imagined(asIf: AsIf, explanations: readonly Explanation[]): string[] {
  const places = explanations.flatMap(({ containers }) => containers.flatMap((container) => [container.pulls, ...container.places.map(({ place }) => place)]));
  return [...asIf.keys()].filter((host) => !places.some((place) => place.startsWith(`${host}/`))).map((host) => `--as-if: nothing of this is pulled from ${host}, nor could be`);
}

/** Nobody says of a registry that it is down who lacks the authority that the webhook has in its Pod. */
function askedWithout({ config: { registries }, absent }: Settings, explanations: readonly Explanation[]): string[] {
  const failing = new Set(explanations.flatMap(({ containers }) => containers.flatMap(({ places }) => places.filter(({ state, tookMs }) => state === 'Unreachable' && tookMs !== undefined).flatMap(({ place }) => parseImageRef(place)?.host ?? []))));
  return [...failing].flatMap((host) => {
    const item = registryItemOf(registries, host);
    const lacking = absent.filter(({ key }) => item !== undefined && key.startsWith(`registries.items.${item}.`));
    return lacking.map(({ key, path }) => `${key}: ${path} is in the Pods, and not here: ${host} was asked without it, and the webhook may well reach it; a file for --config can name one that is here`);
  });
}

function unread({ hidden }: ReadableSecrets): string[] {
  return hidden.map((name) => `you may not read secret ${name}: what is pulled with it is explained by records, or as anybody sees it`);
}

/** What is missing of the picture can make the answer another one, so it is said first. */
export function hiddenTexts(hidden: readonly string[]): string[] {
  return hidden.length === 0 ? [] : [`you may not ${hidden.join(', ')}: what stands there is not counted, and the webhook, which reads it, may decide otherwise`];
}

function listOf(explanations: readonly Explanation[], asIf: AsIf, hidden: readonly string[]): ExplanationList {
  const assumptions = Object.fromEntries([...asIf].map(([host, pretence]) => [host, asIfText(host, pretence)]));
  return { apiVersion: cliVersion, kind: 'ExplanationList', ...(asIf.size > 0 ? { asIf: assumptions } : {}), ...(hidden.length > 0 ? { hidden: [...hidden] } : {}), items: explanations.map((explanation) => ({ ...explanation, containers: explanation.containers.map((container) => ({ ...container, places: [...container.places] })) })) };
}
