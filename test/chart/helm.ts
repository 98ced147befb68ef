/** The chart as Helm renders it. */
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from '../../tools/programs.js';
import { runTool, type ToolOutput } from '../../tools/servers.js';
import { chart } from '../support/chart-files.js';

export const chartFolder = join(projectRoot(), chart);
export const namespace = 'kuik-system';

/** An object of Kubernetes, as far as tests look at it. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

export interface Installation {
  /** `kube-image-keeper` unless told */
  readonly release?: string;
  /** files beside the chart's values.yaml, by name in its folder, or by path */
  readonly files?: readonly string[];
  /** values, which win over those of the files */
  readonly values?: object;
}

/** Every profile of the chart, and of the examples, by name. */
export const profiles: Readonly<Record<string, Installation>> = {
  default: {},
  demo: { files: ['values-demo.yaml'] },
  ha: { files: ['values-ha.yaml'] },
  'external-temporal': { files: ['values-external-temporal.yaml'] },
  'several-clusters': { files: [join('..', '..', 'examples', 'several-clusters', 'values.yaml')] },
};

/** What `helm template` prints, however it ended. */
export function template({ release = 'kube-image-keeper', files = [], values = {} }: Installation): Promise<ToolOutput> {
  const named = files.map((file) => `--values=${join(chartFolder, file)}`);
  return runTool('helm', ['template', release, chartFolder, `--namespace=${namespace}`, ...named, '--values=-'], { input: JSON.stringify(values) });
}

export async function render(installation: Installation): Promise<readonly Rendered[]> {
  const { code, stdout, stderr } = await template(installation);
  if (code !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout).flatMap((document) => (document.toJS() as Rendered | null) ?? []);
}

/** `Deployment/kube-image-keeper-webhook` */
export function titleOf({ kind, metadata }: Rendered): string {
  return `${kind}/${metadata.name}`;
}

/** One of them, by its title; throws when it is not there. */
export function theOne(objects: readonly Rendered[], title: string): Rendered {
  const found = objects.find((object) => titleOf(object) === title);
  if (found === undefined) throw new Error(`${title} is not rendered; there are ${objects.map(titleOf).join(', ')}`);
  return found;
}

/** A Pod, as a workload would make it. */
export interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly serviceAccountName?: string;
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes?: readonly { readonly name: string }[];
    readonly [field: string]: unknown;
  };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly securityContext?: object;
  readonly [field: string]: unknown;
}

/** Every Pod of the chart, by the title of what makes it. */
export function podsOf(objects: readonly Rendered[]): ReadonlyMap<string, PodTemplate> {
  const makers = objects.filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind));
  const bare = objects.filter(({ kind }) => kind === 'Pod').map((pod) => [titleOf(pod), pod as unknown as PodTemplate] as const);
  return new Map([...makers.map((maker) => [titleOf(maker), (maker['spec'] as { readonly template: PodTemplate }).template] as const), ...bare]);
}

/** What a StatefulSet would claim for its Pod, as a volume that needs nobody. */
export function claimed(volumes: readonly { readonly name: string }[] = []): readonly object[] {
  return volumes.some(({ name }) => name === 'data') ? [] : [{ name: 'data', emptyDir: {} }];
}

export function variable({ env = [] }: Container, name: string): string | undefined {
  return env.find((each) => each.name === name)?.value;
}
