import type { WebhookConfiguration } from '../cluster/cluster.js';

/** Where the API server calls us. */
export const admissionPath = '/mutate--v1-pod';
export const admissionPort = 9443;
/** What the API server allows a call; the timeouts of all fail-open webhooks of a cluster add up inside one request. */
const timeoutSeconds = 3;

export interface Registration {
  /** name of the MutatingWebhookConfiguration */
  readonly name: string;
  /** base of the URL outside a cluster (`https://127.0.0.1:9443`), the Service inside */
  readonly at: { readonly url: string } | { readonly namespace: string; readonly name: string; readonly port: number };
  /** `Fail` only in tests, where a failed call must show as a refused Pod */
  readonly failurePolicy?: WebhookConfiguration['failurePolicy'];
  /** a chart owns everything but the CA bundle */
  readonly isOurs: boolean;
}

/** Our registration at the API server: what the port does not fix for every webhook of ours. */
export function webhookConfiguration({ name, at, failurePolicy = 'Ignore', isOurs }: Registration, caBundle: string): WebhookConfiguration {
  const client = 'url' in at ? { url: `${at.url}${admissionPath}` } : { service: { ...at, path: admissionPath } };
  return { name, client, caBundle, failurePolicy, timeoutSeconds, write: isOurs ? 'whole' : 'caBundle' };
}
