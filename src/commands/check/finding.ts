import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import { isFailure } from '../../domain/failure.js';
import type { Check } from '../documents/check.js';

/** What was found of one part. */
export type Finding = Omit<Check['parts'][number], 'part'>;

/** What the parts ask a cluster. */
export type Asked = Pick<KubernetesCluster, 'definition' | 'list' | 'object' | 'objects' | 'registeredWebhook' | 'tryPod' | 'mayI' | 'mayAccount'>;

/** Where and under which names kuik is installed, and what is asking. */
export interface Asking {
  readonly cluster: Asked;
  /** install namespace */
  readonly installNamespace: string;
  /** what the names of the chart's objects begin with */
  readonly fullName: string;
  /** where the Pod is tried */
  readonly namespace: string;
  /** of this command */
  readonly version: string;
  /** milliseconds since the epoch */
  readonly now: number;
}

export const good = (what: string): Finding => ({ state: 'good', what });
export const bad = (what: string, next: string): Finding => ({ state: 'bad', what, next });
export const hidden = (what: string): Finding => ({ state: 'hidden', what });

/** There is nothing to look at, which another part says; the message says what is not there. */
export class NothingThere extends Error {}

/** What nobody may see is no fault of the installation. */
export async function orHidden(look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof NothingThere) return hidden(error.message);
    if (isFailure(error) && error.code === 'denied') return hidden(error.message);
    throw error;
  }
}

/** `1 Pod`, `2 Pods` */
export function amount(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
