import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { stringify } from 'yaml';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { ApiObject } from '../../cluster/kubernetes/objects.js';
import { watchedTypes } from '../../cluster/kubernetes/resources.js';
import { locationProblem } from '../../domain/join.js';
import { askCluster } from '../ask-cluster.js';
import { complain } from '../command-line.js';
import { runCopy } from '../copy/run.js';
import type { MigrationPlan } from '../documents/migrate.js';
import type { MigrateV1Options } from '../migrate.js';
import { printDocument } from '../output.js';
import { isReady, readyFirst } from '../ready-pods.js';
import { readV1, readValues } from './read-v1.js';
import { planV1 } from './v1.js';
import { placeImages, v1StoredName, type Placement } from './v1-places.js';

const name = 'migrate v1';
const usualNamespace = 'kuik-system';

export async function runMigrateV1(registry: string, options: MigrateV1Options): Promise<number> {
  const { path, layout } = options;
  const problem = locationProblem({ registry, path });
  if (problem !== undefined) return complain(name, `--registry ${registry} --path ${path}: ${problem}`);
  const values = await readValues(options.values);
  if (typeof values === 'string') return complain(name, values);
  const [namespace, secretName] = options.secret?.split('/') ?? [];
  return askCluster(name, options, async (cluster) => {
    const v1Namespace = options.namespace ?? usualNamespace;
    const setup = await readV1(cluster, { values, namespace: v1Namespace });
    if (!setup.isThere) complain(name, 'this cluster has no CachedImages: what follows is from Pods and values alone');
    const target = { registry, path, layout, ...(namespace === undefined || secretName === undefined ? {} : { secret: { namespace, name: secretName } }) };
    if (options.copyImages === true) return copyImages(placeImages(setup, target), cluster, { namespace: v1Namespace, told: copyArguments(options) });

    const plan = planV1(setup, target);
    if (options.output === 'json') await printDocument(plan, 'json');
    else process.stdout.write(manifests(plan));
    process.stderr.write(planText(plan, { registry, isThere: setup.isThere }));
    return plan.onlyInV1.length > 0 || plan.remarks.some(({ next }) => !next.startsWith('nothing to do')) ? 2 : 0;
  });
}

/** What kubectl applies; the values for Helm stand in front, as a comment. */
function manifests({ resources, values }: MigrationPlan): string {
  const commented = `# Values of the chart:\n${stringify(values).trimEnd().split('\n').map((line) => `#   ${line}`).join('\n')}\n`;
  return commented + resources.map((resource) => `---\n${stringify(resource, { lineWidth: 0 })}`).join('');
}

function planText({ cached, onlyInV1, retained, pods, remarks }: MigrationPlan, { registry, isThere }: { readonly registry: string; readonly isThere: boolean }): string {
  const steps = [
    ...(onlyInV1.length === 0 ? [] : [`Copy ${onlyInV1.length} of ${cached} images, which are not at their origin any more, while v1's registry is there: the same command with --copy-images.\n${onlyInV1.map(({ image, destination }) => `     ${image} -> ${destination}\n`).join('')}`.trimEnd()]),
    "Install kuik beside v1, in a namespace of its own and as a release of another name, with the values printed in front; names of v1's proxy are understood.",
    "Apply the resources, and wait until kuik status says that every image has its copy. v1 looked at most origins once, when it made its copy: those that have gone since show as SourceMissing there, and the same command with --copy-images brings them.",
    ...(retained.length === 0 ? [] : [`Keep what v1 was told to retain: kuik pin ${retained.join(' ')}; those that no Pod uses are not known here, copy them with kuik copy.`]),
    `Uninstall v1. ${pods.rewritten} Pods still name its proxy: restart their workloads (kubectl rollout restart), and they are sent to ${registry} or their origin.`,
    "The way back: install v1 again; Pods that were restarted keep running, and v1's own resources were never touched.",
  ];
  const seen = isThere ? `${cached} images in v1's registry` : 'no registry of v1 seen';
  return `
Found: ${seen}, ${pods.rewritten} Pods behind its proxy, ${pods.optedOut} Pods that opted out and stay so.

${steps.map((step, at) => `  ${at + 1}. ${step}`).join('\n')}
${remarks.length === 0 ? '' : `\nNot the same:\n${remarks.map(({ what, next }) => `  - ${what}\n    ${next}\n`).join('')}`}`;
}

/** What the options that are those of kuik copy say. */
function copyArguments({ output, plainHttp, caFile }: MigrateV1Options): readonly string[] {
  return ['--output', output ?? 'table', ...plainHttp.flatMap((host) => ['--plain-http', host]), ...caFile.flatMap(({ host, file }) => ['--ca-file', `${host}=${file}`])];
}

const registryPort = 5000;

/** From v1's registry, through the API server, to where the rules want them. @returns 2 when some were left out, else what the copies say */
async function copyImages({ placed, remarks }: Placement, cluster: KubernetesCluster, { namespace, told }: { readonly namespace: string; readonly told: readonly string[] }): Promise<number> {
  for (const { what, next } of remarks) complain(name, `${what}; ${next}`);
  const leftOut = remarks.length === 0 ? 0 : 2;
  if (placed.length === 0) {
    process.stderr.write('nothing to copy: every other image was seen at its origin, or has its copy\n');
    return leftOut;
  }
  const pod = await registryPod(cluster, namespace);
  if (typeof pod === 'string') return complain(name, pod);
  const tunnel = await cluster.forward({ namespace, name: pod.metadata.name }, registryPort);
  const folder = await mkdtemp(join(tmpdir(), 'kuik-migrate-'));
  try {
    const list = join(folder, 'images.txt');
    await writeFile(list, placed.map(({ image, destination }) => `127.0.0.1:${tunnel.port}/${v1StoredName(image)} ${destination}\n`).join(''));
    const code = await runCopy(['--from-file', list, ...told]);
    return code === 0 ? leftOut : code;
  } finally {
    await rm(folder, { recursive: true });
    await tunnel.close();
  }
}

/** @returns why there is none, with the next step, as a text */
async function registryPod(cluster: Pick<KubernetesCluster, 'objects'>, namespace: string): Promise<ApiObject | string> {
  const pods = (await cluster.objects(watchedTypes.Pod, { namespace, labelSelector: 'app.kubernetes.io/component=registry' })) ?? [];
  const [pod] = readyFirst(pods);
  if (pod === undefined) return `no Pod of v1's registry in namespace ${namespace} (label app.kubernetes.io/component=registry); -n names another namespace`;
  return isReady(pod) ? pod : `no Pod of v1's registry in namespace ${namespace} is ready: ${pods.map(({ metadata }) => metadata.name).join(', ')}; kubectl describe pod says why`;
}
