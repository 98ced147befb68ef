/** Names of the webhook's objects in a cluster, as the chart writes them. */
import type { SecretRef } from '../domain/rule.js';
import type { Environment } from '../config/environment.js';

interface Named {
  readonly environment: Pick<Environment, 'fullName' | 'installNamespace'>;
}

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

export const managerConfigSuffix = '-manager-config';

/** The ConfigMap of the configuration. */
export function managerConfigName({ environment }: { readonly environment: Pick<Environment, 'fullName'> }): string {
  return `${environment.fullName}${managerConfigSuffix}`;
}

/** The binding that gives the manager its rights in the whole cluster. */
export function managerBindingName({ environment }: Named): string {
  return `${environment.fullName}-manager`;
}
