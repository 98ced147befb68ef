/** What a person sees, with kubectl and with kuik. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../demo/story.js';
import { projectRoot } from '../programs.js';
import type { Site } from './site.js';

export interface SeenPod {
  readonly name: string;
  readonly phase: string;
  readonly ready: boolean;
  /** of its first container: what it is to pull */
  readonly image: string;
  /** of what runs; empty before it does. The repository beside it may be any the node knows it by */
  readonly digest: string;
  /** why its first container waits, empty when it does not */
  readonly waits: string;
  /** Secrets it pulls with */
  readonly pullSecrets: readonly string[];
  /** of all its containers */
  readonly restarts: number;
  readonly annotations: Readonly<Record<string, string>>;
}

interface ContainerStatus {
  readonly name: string;
  readonly imageID?: string;
  readonly restartCount: number;
  readonly state?: { readonly waiting?: { readonly reason?: string } };
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly containers: readonly { readonly image: string }[]; readonly imagePullSecrets?: readonly { readonly name: string }[] };
  readonly status: { readonly phase: string; readonly conditions?: readonly { readonly type: string; readonly status: string }[]; readonly containerStatuses?: readonly ContainerStatus[] };
}

/** Those that nobody has deleted. @param selector labels, as kubectl takes them */
export async function podsOf(site: Site, namespace: string, selector = ''): Promise<readonly SeenPod[]> {
  const { items } = JSON.parse(await site.kubectl('get', 'pods', '-n', namespace, '-l', selector, '-o', 'json')) as { items: readonly Pod[] };
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(seen);
}

function seen({ metadata, spec, status }: Pod): SeenPod {
  const { containerStatuses = [], conditions = [] } = status;
  const [first] = containerStatuses;
  return {
    name: metadata.name,
    phase: status.phase,
    ready: conditions.some(({ type, status: holds }) => type === 'Ready' && holds === 'True'),
    image: spec.containers[0]?.image ?? '',
    digest: first?.imageID?.split('@')[1] ?? '',
    waits: first?.state?.waiting?.reason ?? '',
    pullSecrets: (spec.imagePullSecrets ?? []).map(({ name }) => name),
    restarts: containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
    annotations: metadata.annotations ?? {},
  };
}

/** Waits for a Pod of `default` that is as it should be. */
export async function podThat(site: Site, what: string, selector: string, fits: (pod: SeenPod) => boolean): Promise<SeenPod> {
  let found: SeenPod | undefined;
  let last: readonly SeenPod[] = [];
  await until(what, async () => {
    last = await podsOf(site, 'default', selector);
    found = last.find(fits);
    return found !== undefined;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; seen: ${JSON.stringify(last)}`, { cause: error });
  });
  if (found === undefined) throw new Error(`no ${what}`);
  return found;
}

interface SeenEvent {
  readonly metadata: { readonly name: string; readonly creationTimestamp: string };
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly name: string };
}

/** `Normal OriginUnavailable container web is pulled from ...`, in the order they happened. */
export async function eventsOf(site: Site, pod: string): Promise<readonly string[]> {
  const { items } = JSON.parse(await site.kubectl('get', 'events', '-n', 'default', '-o', 'json')) as { items: SeenEvent[] };
  const ours = items.filter(({ involvedObject }) => involvedObject.name === pod).sort((one, other) => order(one).localeCompare(order(other)));
  return ours.map(({ type, reason, message }) => `${type} ${reason} ${message}`);
}

/** Times are whole seconds; names of events end in finer ones, as hexadecimal. */
function order({ metadata }: SeenEvent): string {
  return `${metadata.creationTimestamp} ${metadata.name.split('.').at(-1)}`;
}

/** What the command line prints on this machine. @throws Error with all it said when its status is another than 0 */
export async function kuik(site: Site, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(join(projectRoot(), 'bin', 'kuik'), [...args, '--kubeconfig', site.cluster.kubeconfig]).catch((error: Error & { stdout?: string; stderr?: string }) => {
    throw new Error(`kuik ${args.join(' ')}: ${error.stdout ?? ''}${error.stderr ?? error.message}`, { cause: error });
  });
  return stdout.trimEnd();
}
