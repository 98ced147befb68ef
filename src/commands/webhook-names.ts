/** Names of the webhook's objects in a cluster, as the chart writes them without any override. */
import type { SecretRef } from '../domain/rule.js';
import type { Base } from './base.js';

export const fullName = 'kube-image-keeper';
export const webhookConfigurationName = `${fullName}-mutating-webhook`;

/** The Secret that holds the authority. */
export function authoritySecretOf({ environment }: Pick<Base, 'environment'>): SecretRef {
  return { namespace: environment.installNamespace, name: `${fullName}-webhook-server-cert` };
}
