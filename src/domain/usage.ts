import type { Platform } from './platform.js';

export type PullPolicy = 'Always' | 'IfNotPresent' | 'Never';

/** Where in a Pod an image is named. */
export type UsageField = 'containers' | 'initContainers' | 'ephemeralContainers' | 'volumes';

/** A Pod uses an image, and how. */
export interface Usage {
  /** container name, or `volume:<name>`: the key in our annotations */
  readonly key: string;
  readonly field: UsageField;
  /** position in that field */
  readonly index: number;
  /** the text in the Pod, untrusted */
  readonly written: string;
  readonly pullPolicy: PullPolicy;
}

/** The few fields of a Pod that decisions read; a projection, never the whole object. */
export interface Pod {
  /** `namespace/name`; the name may be empty at admission (generateName) */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly usages: readonly Usage[];
  /** names of pull Secrets, the ServiceAccount's included once admitted */
  readonly pullSecrets: readonly string[];
  /** `spec.os.name` and the node selector's `kubernetes.io/os`, `kubernetes.io/arch` */
  readonly platform?: Partial<Platform>;
  readonly phase?: string;
  /** a static Pod's mirror, or owned by a Node */
  readonly isStatic: boolean;
  readonly isDeleted: boolean;
  /** RFC 3339 */
  readonly createdAt?: string;
  /** set where this is no Pod, but the template of a workload, which goes by the name of the workload */
  readonly workload?: WorkloadKind;
}

/** Workloads that keep a template while they have no Pods: scaled to zero, suspended, between two runs. */
export const workloadKinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job'] as const;
export type WorkloadKind = (typeof workloadKinds)[number];

/** What filters see of a Pod, and whether it is one. */
export type PodScope = Pick<Pod, 'namespace' | 'labels' | 'annotations' | 'workload'>;
