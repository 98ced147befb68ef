import type { ApiObject } from '../cluster/kubernetes/objects.js';

/** Which of several Pods to talk to: one that was evicted keeps its labels. */
export function readyFirst(pods: readonly ApiObject[]): readonly ApiObject[] {
  return [...pods].sort((one, other) => Number(isReady(other)) - Number(isReady(one)));
}

export function isReady(pod: ApiObject): boolean {
  const { conditions = [] } = (pod['status'] ?? {}) as { conditions?: readonly { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}
