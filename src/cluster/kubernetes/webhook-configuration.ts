import { annotations, fieldManagers, labels } from '../../domain/names.js';
import type { RegisteredWebhook, WebhookConfiguration } from '../cluster.js';
import { apply } from './apply.js';
import type { Requests } from './requests.js';
import { webhookType as type } from './resources.js';

/** The name v2 registered; a second one would be asked as well. */
export const webhookName = 'mpod-v1.kb.io';

/** The images of one list of a Pod, in order, in CEL; at this point nobody has checked that they are there. */
const imagesIn = (object: string, list: string): string => `(has(${object}.spec.${list}) ? ${object}.spec.${list}.map(c, has(c.image) ? c.image : '') : [])`;

const isSame = (list: string): string => `${imagesIn('object', list)} == ${imagesIn('oldObject', list)}`;

/**
 * Keeps calls that would change nothing off the network; the handler checks again. Of a live Pod only the images of
 * containers can change, and most updates are of labels, annotations, finalizers.
 */
const matchConditions = [
  {
    name: 'not-static',
    expression: `(!has(object.metadata.annotations) || !('${annotations.staticPod}' in object.metadata.annotations)) && (!has(object.metadata.ownerReferences) || !object.metadata.ownerReferences.exists(o, o.kind == 'Node'))`,
  },
  { name: 'not-ignored', expression: `!has(object.metadata.labels) || !('${labels.ignore}' in object.metadata.labels) || object.metadata.labels['${labels.ignore}'] != 'true'` },
  { name: 'not-ignored-v1', expression: `!has(object.metadata.labels) || !('${labels.v1Policy}' in object.metadata.labels) || object.metadata.labels['${labels.v1Policy}'] != 'ignore'` },
  { name: 'not-deleted', expression: '!has(object.metadata.deletionTimestamp)' },
  { name: 'new-images', expression: `request.operation != 'UPDATE' || (has(request.subResource) && request.subResource == 'ephemeralcontainers') || !(${isSame('containers')} && ${isSame('initContainers')})` },
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

interface ReadConfiguration {
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig: { readonly service?: object; readonly caBundle?: string } }[];
}

/** @throws Failure side `cluster` */
export async function registeredWebhook(requests: Requests, name: string): Promise<RegisteredWebhook | undefined> {
  const configuration = (await requests.jsonOrNothing({ verb: 'get', type, name })) as ReadConfiguration | undefined;
  const webhook = configuration?.webhooks?.find((each) => each.name === webhookName);
  if (webhook === undefined) return undefined;
  const { service, caBundle = '' } = webhook.clientConfig;
  return { reachedBy: service === undefined ? 'url' : 'service', caBundle: Buffer.from(caBundle, 'base64').toString('utf8') };
}

function caBundleOnly(configuration: WebhookConfiguration): object {
  return { name: webhookName, clientConfig: { caBundle: encoded(configuration.caBundle) } };
}

/** Our webhook, whole; the chart renders the same. */
export function wholeWebhook({ client, caBundle, failurePolicy, timeoutSeconds }: WebhookConfiguration): object {
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
