import type { WebhookConfiguration } from '../cluster/cluster.js';

/** Where the API server calls us. */
export const admissionPath = '/mutate--v1-pod';
/** What the API server allows a call; the timeouts of all fail-open webhooks of a cluster add up inside one request. */
const timeoutSeconds = 3;

export interface Registration extends Pick<WebhookConfiguration, 'name' | 'client'> {
  /** `Ignore` unless said; `Fail` only in tests, where a failed call must show as a refused Pod */
  readonly failurePolicy?: WebhookConfiguration['failurePolicy'];
  /** `caBundle` where a chart owns the rest; `whole` unless said */
  readonly write?: WebhookConfiguration['write'];
}

/** Our registration at the API server: what the client does not fix for every webhook of ours. */
export function webhookConfiguration({ failurePolicy = 'Ignore', write = 'whole', ...named }: Registration, caBundle: string): WebhookConfiguration {
  return { ...named, caBundle, failurePolicy, timeoutSeconds, write };
}
