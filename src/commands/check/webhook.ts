import { X509Certificate, randomUUID } from 'node:crypto';
import { annotations } from '../../domain/names.js';
import { webhookConfigurationName } from '../webhook-names.js';
import { amount, bad, good, hidden, type Asking, type Finding } from './finding.js';
import { podsOf, podsProblem } from './pods.js';

/** Whether a Pod that is created comes back with our mark. */
export async function checkWebhook(asking: Asking): Promise<Finding> {
  const { cluster, namespace } = asking;
  const name = nameOf(asking);
  const registered = await cluster.registeredWebhook(name);
  if (registered === undefined) return bad(`${name} is not registered: no Pod is routed`, 'is kuik installed under another name? KUIK_FULL_NAME says which');
  if (registered.caBundle === '') return bad(`nobody has published the authority of ${name} yet: no Pod is routed`, 'kubectl logs of the manager tells why');

  const marks = await cluster.tryPod(namespace, aPod(namespace));
  if (marks[annotations.reason] !== undefined) return good(`a Pod in ${namespace} comes back routed`);
  const pods = await podsOf('webhook', asking);
  const next = `look whether the API server reaches its Service, and whether that namespace is labelled to be ignored or deselected by manager.webhook.namespaceSelector`;
  return bad(`a Pod in ${namespace} came back without ${annotations.reason}`, podsProblem(pods) ?? next);
}

const dayMs = 24 * 60 * 60 * 1000;
/** As the alert has it. */
const criticalDays = 7;

/** How long API servers go on to trust the webhook. */
export async function checkCertificate(asking: Asking): Promise<Finding> {
  const registered = await asking.cluster.registeredWebhook(nameOf(asking));
  const ends = (registered?.caBundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((pem) => new X509Certificate(pem).validToDate.getTime());
  if (ends.length === 0) return hidden('there is no authority to look at');
  // while one takes the place of another both are trusted; the one that ends last is the one that stays
  const end = Math.max(...ends);
  const days = Math.floor((end - asking.now) / dayMs);
  const until = `until ${new Date(end).toISOString().slice(0, 10)}`;
  const next = 'docs/runbooks/KuikCertificateExpiring.md says whose turn it is';
  if (days < 0) return bad(`the authority was trusted ${until}: the API server cannot ask the webhook any more`, next);
  return days < criticalDays ? bad(`the authority is trusted for ${amount(days, 'more day')}, ${until}`, next) : good(`the authority is trusted for ${amount(days, 'day')}, ${until}`);
}

function nameOf({ fullName, installNamespace }: Asking): string {
  return webhookConfigurationName({ environment: { fullName, installNamespace } });
}

/** Lawful in a restricted namespace; its image is never pulled, so that no registry is asked about it. */
function aPod(namespace: string): object {
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `kuik-check-${randomUUID()}`, namespace },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'check', image: 'kuik.invalid/check:1', imagePullPolicy: 'Never', resources: { requests: { cpu: '1m', memory: '1Mi' }, limits: { cpu: '1m', memory: '1Mi' } }, securityContext }] },
  };
}
