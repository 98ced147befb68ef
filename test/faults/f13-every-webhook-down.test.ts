import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { runTool, startApiServer, toolOutput, type ApiServer, type ToolOutput } from '../../tools/servers.js';
import { claimed, namespace, podsOf, render, theOne, type Rendered } from '../chart/helm.js';
import { fault } from '../support/fault.js';
import { until } from '../support/until.js';

const registrationName = 'MutatingWebhookConfiguration/kube-image-keeper-mutating-webhook';

/* What the chart registers, and nothing behind it: the Service has no endpoints, as when every node with a replica is gone. */
describe('every replica of the webhook is down', () => {
  let server: ApiServer;
  let objects: readonly Rendered[];
  let registration: Rendered;
  beforeAll(async () => {
    [server, objects] = await Promise.all([startApiServer(), render({})]);
    registration = theOne(objects, registrationName);
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await apply(...objects.filter(({ kind }) => ['Service', 'ServiceAccount'].includes(kind)), registration);
  }, 300_000);
  afterAll(() => server?.kill());

  fault(
    'F13',
    'Pods start as they were written, our own first of all',
    async ({ size }) => {
      const count = size({ quick: 5, soak: 20 });
      // the call is made, and fails: who insists on it gets nothing
      await apply(insisting(registration));
      await until(async () => (await create('insisting', plain, 'default')).stderr.includes('failed calling webhook'));
      await apply(registration);
      await until(async () => (await create('plain', plain, 'default')).code === 0);

      const own = [...podsOf(objects)].map(([title, { metadata, spec }]) => ({ title: title.toLowerCase().replace('/', '-'), labels: metadata.labels, spec: { ...spec, volumes: [...(spec.volumes ?? []), ...claimed(spec.volumes)] } }));
      for (let times = 0; times < count; times++) {
        for (const { title, labels, spec } of own) expect([title, (await create(`${title}-${times}`, spec, namespace, labels)).stderr]).toEqual([title, '']);
      }
      expect(own.length).toBeGreaterThan(3);
    },
    180_000,
  );

  async function apply(...items: readonly object[]): Promise<void> {
    await toolOutput('kubectl', [`--kubeconfig=${server.kubeconfig}`, 'apply', '--server-side', '--force-conflicts', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  }

  function create(name: string, spec: object, into: string, labels: object = {}): Promise<ToolOutput> {
    return runTool('kubectl', [`--kubeconfig=${server.kubeconfig}`, 'create', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `${name}-${next++}`, namespace: into, labels }, spec }) });
  }
});

let next = 0;
const plain = { containers: [{ name: 'web', image: 'nginx:1.27' }] };

function insisting(registration: Rendered): object {
  return { ...registration, webhooks: (registration['webhooks'] as readonly object[]).map((webhook) => ({ ...webhook, failurePolicy: 'Fail' })) };
}
