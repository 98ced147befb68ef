/** Pieces of the chart's values. Unlike the configuration, they are read by Helm: the schemas state forms and defaults, templates decide. */
import { z } from 'zod';
import { flag, text, whole } from '../value-types.js';

/** Something of Kubernetes that is passed on as it is. */
export function passed(description: string) {
  return z.record(z.string(), z.unknown()).meta({ description });
}

export function passedList(description: string) {
  return z.array(z.record(z.string(), z.unknown())).meta({ description });
}

export function image(repository: string, tag: string) {
  return z
    .strictObject({
      repository: text('Its host written out; `global.imageRegistry` takes the place of the host.').default(repository),
      tag: text(tag === '' ? 'Default: the version of the chart.' : 'A tag.').default(tag),
      digest: text('`sha256:...`, which is pulled instead of the tag.').default(''),
      pullPolicy: z.enum(['IfNotPresent', 'Always', 'Never']).meta({ description: 'When the kubelet pulls.' }).default('IfNotPresent'),
    })
    .prefault({});
}

/** Requests, and a limit for memory alone: a throttled processor helps nobody. */
export function resources(cpu: string, memory: string, memoryLimit: string) {
  return passed('Requests and limits.').default({ requests: { cpu, memory }, limits: { memory: memoryLimit } });
}

/** Settings that every Pod of the chart has. */
export const pod = {
  podAnnotations: passed('Annotations of its Pods.').default({}),
  podSecurityContext: passed('Fields that win over those of the restricted profile, for the Pod.').default({}),
  securityContext: passed('The same for the container.').default({}),
  nodeSelector: passed('Beside `kubernetes.io/os: linux`.').default({}),
  tolerations: passedList('Taints its Pods bear with.').default([]),
  affinity: passed('Where its Pods go.').default({}),
  topologySpreadConstraints: passedList('Default: spread over nodes and zones where possible.').default([]),
  priorityClassName: text('Class of priority.').default(''),
};

export const env = passedList('Variables of the environment, as in a container.').default([]);

/** The API server takes one of the two. */
export function pdb(usual: { readonly create: boolean; readonly minAvailable: number; readonly maxUnavailable: number | '' }) {
  const amount = (description: string) => z.unknown().meta({ description, type: ['integer', 'string'], words: 'number, percentage' });
  return z
    .strictObject({
      create: flag('Whether there is a PodDisruptionBudget.').default(usual.create),
      minAvailable: amount('Least Pods that stay, unless `maxUnavailable` is set.').default(usual.minAvailable),
      maxUnavailable: amount('Most Pods that go at once.').default(usual.maxUnavailable),
    })
    .prefault({});
}

export function storage(size: string) {
  return z
    .strictObject({
      size: text('Size of its volume.').default(size),
      storageClassName: text("Class of its volume. Default: the cluster's.").default(''),
    })
    .prefault({});
}

export function replicas(usual: number) {
  return whole('How many Pods.', 0).default(usual);
}

export const probe = (path: string, pace: object = {}) => passed('Probe of the container.').default({ httpGet: { path, port: 8081 }, ...pace });
