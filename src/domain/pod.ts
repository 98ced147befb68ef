/**
 * Reads a Pod as Kubernetes sends it. This door never throws: what is missing or has another shape than expected
 * is left out, because neither an admission nor a watch may stop at one odd object.
 */
import { annotations as ours } from './names.js';
import { parseImageRef } from './image-ref.js';
import type { Platform } from './platform.js';
import type { Pod, PullPolicy, Usage, UsageField, WorkloadKind } from './usage.js';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Projects a Pod to the few fields decisions read.
 *
 * @param object a `v1.Pod`, from JSON or YAML
 * @param namespace that of the request, which at admission counts more than the object's
 */
export function podOf(object: unknown, namespace?: string): Pod {
  const metadata = fields(fields(object).metadata);
  const spec = fields(fields(object).spec);
  const name = text(metadata.name) ?? '';
  const home = namespace ?? text(metadata.namespace) ?? '';
  const annotations = texts(metadata.annotations);
  return {
    key: `${home}/${name}`,
    namespace: home,
    name,
    uid: text(metadata.uid) ?? '',
    labels: texts(metadata.labels),
    annotations,
    usages: usagesOf(spec),
    pullSecrets: list(spec.imagePullSecrets).flatMap((secret) => present(text(fields(secret).name))),
    platform: platformOf(spec),
    phase: text(fields(fields(object).status).phase),
    isStatic: ours.staticPod in annotations || list(metadata.ownerReferences).some((owner) => fields(owner).kind === 'Node'),
    isDeleted: metadata.deletionTimestamp !== undefined && metadata.deletionTimestamp !== null,
    createdAt: text(metadata.creationTimestamp),
  };
}

/**
 * Projects the template of a workload to what its Pods would be, under the name of the workload.
 *
 * @param object `apps/v1` or `batch/v1`, of the kind said
 */
export function templateOf(kind: WorkloadKind, object: unknown): Pod {
  const { name, namespace, uid } = fields(fields(object).metadata);
  const spec = fields(fields(object).spec);
  const holder = kind === 'CronJob' ? fields(fields(spec.jobTemplate).spec) : spec;
  const template = fields(holder.template);
  return { ...podOf({ metadata: { ...fields(template.metadata), name, namespace, uid }, spec: template.spec }), workload: kind };
}

/** Every image a Pod spec names, in the order of the spec; ephemeral containers and image volumes included. */
export function usagesOf(spec: unknown): readonly Usage[] {
  const { containers, initContainers, ephemeralContainers, volumes } = fields(spec);
  return [
    ...containerUsages('containers', containers),
    ...containerUsages('initContainers', initContainers),
    ...containerUsages('ephemeralContainers', ephemeralContainers),
    ...volumeUsages(volumes),
  ];
}

function containerUsages(field: UsageField, containers: unknown): Usage[] {
  return list(containers).flatMap((container, index) => {
    const { name, image, imagePullPolicy } = fields(container);
    return usage(field, index, text(name), image, imagePullPolicy);
  });
}

function volumeUsages(volumes: unknown): Usage[] {
  return list(volumes).flatMap((volume, index) => {
    const { name, image } = fields(volume);
    const { reference, pullPolicy } = fields(image);
    return usage('volumes', index, `volume:${text(name) ?? ''}`, reference, pullPolicy);
  });
}

function usage(field: UsageField, index: number, key: string | undefined, image: unknown, policy: unknown): Usage[] {
  const written = text(image);
  if (key === undefined || written === undefined) return [];
  return [{ key, field, index, written, pullPolicy: isPullPolicy(policy) ? policy : defaultPullPolicy(written) }];
}

/**
 * The policy the API server fills in: `Always` for the tag `latest`, also where nothing is written; a digest alone
 * is no tag. Texts that do not parse have no tag either.
 *
 * @see Kubernetes, pkg/apis/core/v1/defaults.go, SetDefaults_Container
 */
export function defaultPullPolicy(written: string): PullPolicy {
  const ref = parseImageRef(written);
  if (ref === undefined) return 'IfNotPresent';
  const tag = ref.tag ?? (ref.digest === undefined ? 'latest' : undefined);
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

/** What the Pod says about the nodes it can run on; undefined when it says nothing. */
function platformOf(spec: Fields): Partial<Platform> | undefined {
  const selector = fields(spec.nodeSelector);
  const os = text(fields(spec.os).name) ?? text(selector['kubernetes.io/os']);
  const architecture = text(selector['kubernetes.io/arch']);
  if (os === undefined && architecture === undefined) return undefined;
  return { ...(os === undefined ? {} : { os }), ...(architecture === undefined ? {} : { architecture }) };
}

function isPullPolicy(value: unknown): value is PullPolicy {
  return value === 'Always' || value === 'IfNotPresent' || value === 'Never';
}

const none: Fields = Object.freeze({});

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : none;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text that says something: Kubernetes treats an empty one as absent. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The same map when all its values are texts, which is the rule; watches of large clusters notice every copy. */
function texts(value: unknown): Readonly<Record<string, string>> {
  const map = fields(value);
  const isAllText = Object.values(map).every((item) => typeof item === 'string');
  return (isAllText ? map : Object.fromEntries(Object.entries(map).filter(([, item]) => typeof item === 'string'))) as Record<string, string>;
}

function present<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
