/** Every object of the chart at a real API server, which validates, admits, and stores nothing. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runTool, startApiServer, toolOutput, type ApiServer } from '../../tools/servers.js';
import { chartFolder, claimed, namespace, podsOf, profiles, render, type Installation, type Rendered } from './helm.js';

/** Kinds of other operators, which the API server of the tests does not know. */
const ofOthers = ['ServiceMonitor', 'PrometheusRule', 'Certificate', 'Issuer'];

const installations: Readonly<Record<string, Installation>> = {
  ...profiles,
  'v2 values': { files: [join('..', '..', 'test', 'chart', 'v2-values.yaml')] },
  'the defaults of v2': { files: [join('..', '..', 'test', 'chart', 'v2-defaults.yaml')] },
  'Secrets of the user alone': { values: { certificates: { mode: 'provided', provided: { secretName: 'tls' } }, temporal: { database: { existingSecret: 'password' } } } },
  'cert-manager, and every option': {
    values: {
      certificates: { mode: 'certManager' },
      manager: { pdb: { create: true }, serviceMonitor: { create: true } },
      rbac: { secretNamespaces: ['default'] },
      configuration: { mirroring: { nodePlatforms: true }, retention: { workloads: true } },
      metrics: { secure: true },
      prometheusRule: { create: true },
      dashboards: { create: true },
      flowSchema: { create: true },
      networkPolicy: { metricsFrom: [{ namespaceSelector: {} }] },
      temporal: { ui: { allowFrom: [{ podSelector: {} }], oidc: { providerUrl: 'https://id.example.com', clientId: 'kuik', existingSecret: 'oidc', callbackUrl: 'https://temporal.example.com/auth/sso/callback' } } },
    },
  },
};

let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer();
  await kubectl(['apply', '--server-side', '-f', join(chartFolder, 'crds')]);
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' };
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }));
}, 300_000);
afterAll(() => server?.kill());

function kubectl(args: readonly string[], input?: string): Promise<string> {
  return toolOutput('kubectl', [`--kubeconfig=${server.kubeconfig}`, ...args], { input });
}

/** @returns what the API server says against any of them; warnings count */
async function objections(objects: readonly Rendered[]): Promise<string> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  const { code, stderr } = await runTool('kubectl', [`--kubeconfig=${server.kubeconfig}`, 'apply', '--server-side', '--dry-run=server', '-f', '-'], { input: list });
  return code === 0 && stderr === '' ? '' : `status ${code}: ${stderr}`;
}

describe.each(Object.keys(installations))('the installation %s', (name) => {
  const objects = (): Promise<readonly Rendered[]> => render(installations[name] ?? {});

  test(`is accepted, but for ${ofOthers.join(', ')}, whose operators are not there`, async () => {
    const ours = (await objects()).filter(({ kind }) => !ofOthers.includes(kind));

    expect(await objections(ours)).toBe('');
  });

  test('makes Pods that the restricted profile lets in', async () => {
    const pods = [...podsOf(await objects())].map(([title, { metadata, spec }]): Rendered => ({ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, namespace, name: title.toLowerCase().replace('/', '-') }, spec: { ...spec, volumes: [...(spec.volumes ?? []), ...claimed(spec.volumes)] } }));

    // a priority class that the API server does not know would hide what is looked for
    for (const pod of pods) delete (pod['spec'] as { priorityClassName?: string }).priorityClassName;
    expect(await objections(pods)).toBe('');
  });
});

test('a Pod that the restricted profile does not let in is objected to, so the test above can fail', async () => {
  const pod: Rendered = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'root', namespace }, spec: { containers: [{ name: 'root', image: 'nginx' }] } };

  expect(await objections([pod])).toContain('violates PodSecurity "restricted:latest"');
});

test('Helm itself installs it, in a dry run on the server', async () => {
  const args = ['install', 'kube-image-keeper', chartFolder, `--namespace=${namespace}`, '--dry-run=server', '--skip-crds', `--kubeconfig=${server.kubeconfig}`];

  expect(await runTool('helm', args)).toMatchObject({ code: 0 });
});
