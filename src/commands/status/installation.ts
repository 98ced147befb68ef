/** The processes, as far as the API server knows them. */
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import { leaseType } from '../../cluster/kubernetes/resources.js';
import type { Environment } from '../../config/environment.js';
import { isFailure } from '../../domain/failure.js';
import { leaseName } from '../../domain/names.js';
import type { Status } from '../documents/status.js';
import { webhookConfigurationName } from '../webhook-names.js';

export interface Installation {
  readonly webhook: Status['webhook'];
  /** `hidden`: you may not look */
  readonly leader: Status['leader'] | 'hidden';
}

export async function readInstallation(cluster: Pick<KubernetesCluster, 'object' | 'registeredWebhook'>, environment: Pick<Environment, 'fullName' | 'installNamespace'>): Promise<Installation> {
  const [registered, lease] = await Promise.all([
    orHidden(() => cluster.registeredWebhook(webhookConfigurationName({ environment }))),
    orHidden(() => cluster.object(leaseType, { namespace: environment.installNamespace, name: leaseName })),
  ]);
  return { webhook: webhookState(registered), leader: lease === 'hidden' ? 'hidden' : leaderOf(lease?.['spec'] as LeaseSpec | undefined) };
}

function webhookState(registered: Awaited<ReturnType<KubernetesCluster['registeredWebhook']>> | 'hidden'): Status['webhook'] {
  if (registered === 'hidden') return 'unknown';
  if (registered === undefined) return 'absent';
  return registered.caBundle === '' ? 'untrusted' : 'registered';
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly renewTime?: string;
}

function leaderOf(spec: LeaseSpec | undefined): Status['leader'] {
  if (!spec?.holderIdentity || spec.renewTime === undefined) return undefined;
  return { holder: spec.holderIdentity, renewedAt: spec.renewTime };
}

async function orHidden<T>(ask: () => Promise<T>): Promise<T | 'hidden'> {
  try {
    return await ask();
  } catch (error) {
    if (isFailure(error) && error.code === 'denied') return 'hidden';
    throw error;
  }
}
