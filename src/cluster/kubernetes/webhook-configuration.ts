import { annotations, fieldManagers, labels } from '../../domain/names.js';
import type { WebhookConfiguration } from '../cluster.js';
import { apply } from './apply.js';
import type { Requests } from './requests.js';
import { webhookType as type } from './resources.js';

/** The name v2 registered; a second one would be asked as well. */
export const webhookName = 'mpod-v1.kb.io';

/** Keeps Pods we would leave untouched off the network; the handler checks again. */
const matchConditions = [
  { name: 'not-static', expression: `!has(object.metadata.annotations) || !('${annotations.staticPod}' in object.metadata.annotations)` },
  { name: 'not-ignored', expression: `!has(object.metadata.labels) || !('${labels.ignore}' in object.metadata.labels) || object.metadata.labels['${labels.ignore}'] != 'true'` },
  { name: 'not-ignored-v1', expression: `!has(object.metadata.labels) || !('${labels.v1Policy}' in object.metadata.labels) || object.metadata.labels['${labels.v1Policy}'] != 'ignore'` },
];

/**
 * Applies our MutatingWebhookConfiguration: whole, or only the CA bundle where a chart owns the rest.
 *
 * @throws Failure side `cluster`
 */
export async function applyWebhookConfiguration(requests: Requests, configuration: WebhookConfiguration): Promise<void> {
  const webhook = configuration.write === 'caBundle' ? caBundleOnly(configuration) : wholeWebhook(configuration);
  await apply(requests, type, { name: configuration.name }, fieldManagers.certificates, { webhooks: [webhook] }, { force: true });
}

function caBundleOnly(configuration: WebhookConfiguration): object {
  return { name: webhookName, clientConfig: { caBundle: encoded(configuration.caBundle) } };
}

function wholeWebhook({ client, caBundle, failurePolicy, timeoutSeconds }: WebhookConfiguration): object {
  return {
    name: webhookName,
    admissionReviewVersions: ['v1'],
    clientConfig: { ...client, caBundle: encoded(caBundle) },
    failurePolicy,
    matchPolicy: 'Equivalent',
    reinvocationPolicy: 'IfNeeded',
    sideEffects: 'NoneOnDryRun',
    timeoutSeconds,
    matchConditions,
    namespaceSelector: { matchExpressions: [{ key: labels.ignore, operator: 'NotIn', values: ['true'] }] },
    objectSelector: {},
    rules: [
      { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE', 'UPDATE'], scope: 'Namespaced' },
      { apiGroups: [''], apiVersions: ['v1'], resources: ['pods/ephemeralcontainers'], operations: ['UPDATE'], scope: 'Namespaced' },
    ],
  };
}

function encoded(pem: string): string {
  return Buffer.from(pem).toString('base64');
}
