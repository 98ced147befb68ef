/** Names of the webhook's objects in a cluster, as the chart writes them. */
import type { SecretRef } from '../domain/rule.js';
import type { Base } from './base.js';

type Named = Pick<Base, 'environment'>;

export function webhookConfigurationName({ environment }: Named): string {
  return `${environment.fullName}-mutating-webhook`;
}

/** The Service by which the API server reaches the webhook. */
export function webhookServiceName({ environment }: Named): string {
  return `${environment.fullName}-webhook`;
}

/** The Secret that holds the authority. */
export function authoritySecretOf({ environment }: Named): SecretRef {
  return { namespace: environment.installNamespace, name: `${environment.fullName}-webhook-server-cert` };
}
