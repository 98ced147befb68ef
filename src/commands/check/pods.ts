/** The Pods of an installation, by component. Outside a cluster there are none, and what they would tell nobody tells. */
import { watchedTypes } from '../../cluster/kubernetes/resources.js';
import { isFailure } from '../../domain/failure.js';
import { amount, type Asking } from './finding.js';

export type Component = 'webhook' | 'manager' | 'temporal' | 'postgresql';

export interface SeenPod {
  readonly name: string;
  readonly ready: boolean;
  /** its ServiceAccount */
  readonly account: string;
  /** tags of its images, the first container first */
  readonly tags: readonly string[];
  /** why it is not ready, as far as its status says */
  readonly why: string;
}

interface RawPod {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly serviceAccountName?: string; readonly containers?: readonly { readonly image?: string }[] };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly { readonly ready?: boolean; readonly state?: { readonly waiting?: { readonly reason?: string } }; readonly lastState?: { readonly terminated?: { readonly reason?: string } } }[];
  };
}

/** @returns `hidden` to whom may not see Pods there */
export async function podsOf(component: Component, { cluster, installNamespace, fullName }: Asking): Promise<readonly SeenPod[] | 'hidden'> {
  try {
    const found = await cluster.objects(watchedTypes.Pod, { namespace: installNamespace, labelSelector: `app.kubernetes.io/component=${component}` });
    return ((found ?? []) as unknown as readonly RawPod[]).filter(({ metadata }) => metadata.name.startsWith(`${fullName}-`)).map(seenPod);
  } catch (error) {
    if (isFailure(error) && error.code === 'denied') return 'hidden';
    throw error;
  }
}

function seenPod({ metadata, spec, status }: RawPod): SeenPod {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const waiting = status?.containerStatuses?.find((container) => container.ready !== true);
  const why = waiting?.state?.waiting?.reason ?? waiting?.lastState?.terminated?.reason ?? ready?.message ?? status?.phase ?? 'unknown';
  return { name: metadata.name, ready: ready?.status === 'True', account: spec?.serviceAccountName ?? 'default', why, tags: (spec?.containers ?? []).flatMap(({ image }) => /:([^/:@]+)(?:@|$)/.exec(image ?? '')?.[1] ?? []) };
}

/** What is wrong with all of them together; undefined while one is ready, or nobody knows of any. */
export function podsProblem(pods: readonly SeenPod[] | 'hidden'): string | undefined {
  if (pods === 'hidden' || pods.length === 0 || pods.some(({ ready }) => ready)) return undefined;
  const [first] = pods;
  return `none of its ${amount(pods.length, 'Pod')} is ready, ${first?.name}: ${first?.why}; kubectl describe and kubectl logs tell more`;
}

/** `2 of 3 Pods ready`; empty where nobody knows of any. */
export function podsText(pods: readonly SeenPod[] | 'hidden'): string {
  if (pods === 'hidden' || pods.length === 0) return '';
  return `${pods.filter(({ ready }) => ready).length} of ${amount(pods.length, 'Pod')} ready`;
}
