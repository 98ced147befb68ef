import type { WebhookConfiguration } from '../cluster/cluster.js';

/** Where the API server calls us. */
export const admissionPath = '/mutate--v1-pod';
export const admissionPort = 9443;
const webhookName = 'mpod-v1.kb.io';

export interface ConfigurationSettings {
  /** name of the MutatingWebhookConfiguration */
  readonly name: string;
  readonly client: WebhookConfiguration['client'];
  /** `Fail` only in tests, where a failed call must show as a refused Pod */
  readonly failurePolicy?: WebhookConfiguration['failurePolicy'];
}

/**
 * Our registration at the API server. Everything in it spares Pods: failed calls are ignored, a call takes three
 * seconds at most, and static Pods never come here.
 */
export function webhookConfiguration({ name, client, failurePolicy = 'Ignore' }: ConfigurationSettings, caBundle: string): WebhookConfiguration {
  return {
    name,
    webhookName,
    client,
    caBundle,
    failurePolicy,
    reinvocationPolicy: 'IfNeeded',
    sideEffects: 'NoneOnDryRun',
    timeoutSeconds: 3,
    rules: [
      { operations: ['CREATE', 'UPDATE'], resources: ['pods'] },
      { operations: ['UPDATE'], resources: ['pods/ephemeralcontainers'] },
    ],
    matchConditions: [{ name: 'not-a-static-pod', expression: "!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations)" }],
  };
}
