/** The page about moving from v2, as a reader meets it: v2 is a release of Helm, whose chart named its objects as ours does. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder, startApiServer, type ApiServer } from '../../tools/servers.js';
import { blocksIn } from '../support/guide.js';
import { aReader, atApiServer, commandsOf, type Reader } from '../support/guide-reader.js';

const blocks = blocksIn(readFileSync(join(projectRoot(), 'docs/guides/from-v2.md'), 'utf8'));
const commands = blocks.flatMap((block) => commandsOf(block));

/** What v2's chart made, as far as ours makes the same. */
const v2Objects = `
{{- $labels := dict "app.kubernetes.io/name" "kube-image-keeper" "app.kubernetes.io/instance" .Release.Name "app.kubernetes.io/component" "manager" }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: kube-image-keeper-manager, labels: {{ toJson $labels }}}
spec:
  replicas: {{ .Values.manager.replicas }}
  selector: {matchLabels: {{ toJson $labels }}}
  template:
    metadata: {labels: {{ toJson $labels }}}
    spec:
      serviceAccountName: kube-image-keeper-manager
      containers:
        - name: manager
          image: quay.io/enix/kube-image-keeper:{{ .Values.manager.image.tag }}
          command: [manager, -leader-elect]
          ports: [{containerPort: 8080, name: metrics, protocol: TCP}, {containerPort: 9443, name: webhook-server, protocol: TCP}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: kube-image-keeper-manager}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-image-keeper-manager-config}
data: {config.yaml: "{}"}
---
apiVersion: v1
kind: Service
metadata: {name: kube-image-keeper-webhook}
spec: {ports: [{port: 443, targetPort: 9443}], selector: {{ toJson $labels }}}
---
apiVersion: v1
kind: Service
metadata: {name: kube-image-keeper-manager-metrics}
spec: {ports: [{name: http, port: 8080, targetPort: metrics}], selector: {{ toJson $labels }}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: kube-image-keeper-manager}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: kube-image-keeper-manager}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kube-image-keeper-manager}
subjects: [{kind: ServiceAccount, name: kube-image-keeper-manager, namespace: {{ .Release.Namespace }}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: kube-image-keeper-mutating-webhook, annotations: {cert-manager.io/inject-ca-from: kuik-system/kube-image-keeper-serving-cert}}
webhooks:
  - name: mpod-v1.kb.io
    admissionReviewVersions: [v1]
    clientConfig: {service: {name: kube-image-keeper-webhook, namespace: {{ .Release.Namespace }}, path: /mutate--v1-pod}}
    failurePolicy: Ignore
    reinvocationPolicy: IfNeeded
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
    sideEffects: NoneOnDryRun
`;

describe('the page about moving from v2', () => {
  const folder = scratchFolder('from-v2-guide');
  let api: ApiServer;
  let reader: Reader;
  beforeAll(async () => {
    api = await startApiServer({ dir: join(folder, 'api') });
    reader = await aReader({ folder, kubeconfig: api.kubeconfig });
    await installV2();
  }, 120_000);
  afterAll(() => api?.kill());

  const cluster = () => atApiServer(api);
  const definitions = (): Promise<string> => cluster().kubectl('apply', '--server-side', '--force-conflicts', '-f', join(projectRoot(), 'charts/kube-image-keeper/crds'));

  async function installV2(): Promise<void> {
    await definitions();
    await cluster().kubectl('delete', 'crd', 'imageavailabilities.kuik.enix.io');
    const chart = join(folder, 'v2-chart');
    mkdirSync(join(chart, 'templates'), { recursive: true });
    writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: kube-image-keeper\nversion: 2.3.1\n');
    writeFileSync(join(chart, 'values.yaml'), 'manager: {replicas: 1, image: {tag: 2.3.1}}\n');
    writeFileSync(join(chart, 'templates', 'all.yaml'), v2Objects);
    expect(await reader.run(`helm install kube-image-keeper ${chart} --namespace kuik-system --create-namespace --set manager.replicas=2 --set manager.image.tag=2.3.1`)).toMatchObject({ code: 0 });
    // cert-manager writes the authority into what the chart left open
    await cluster().kubectl('patch', 'mutatingwebhookconfiguration', 'kube-image-keeper-mutating-webhook', '--type=json', '--field-manager=cert-manager-cainjector', '-p', '[{"op":"add","path":"/webhooks/0/clientConfig/caBundle","value":""}]');
    const spec = { imageFilter: { include: ['.+'] }, cleanup: { enabled: true, retention: '168h' }, mirrors: [{ registry: 'registry.example.com', path: '/m' }] };
    await cluster().apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'everything', finalizers: ['kuik.enix.io/mirror-cleanup'] }, spec }));
  }

  /** The manager does this as it starts: Helm never does. */
  async function bringDefinitions(): Promise<void> {
    await definitions();
    await cluster().kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd/imageavailabilities.kuik.enix.io');
  }

  test.each(commands)('%s', async (command) => {
    if (command === 'kuik status') await bringDefinitions();
    const { code, errors } = await reader.run(command);

    const expected = command === 'kuik status' ? 2 : 0; // no Pod runs here, so no kuik does
    expect({ code, errors: code === expected ? '' : errors }).toEqual({ code: expected, errors: '' });
    if (command.startsWith('helm upgrade')) await expectOurs();
  }, 120_000);

  async function expectOurs(): Promise<void> {
    const image = '{.spec.template.spec.containers[0].image}';
    expect(await cluster().kubectl('get', 'deployment', 'kube-image-keeper-manager', '-n', 'kuik-system', '-o', `jsonpath=${image} {.spec.replicas}`)).toMatch(/^registry\.example\.com\/kube-image-keeper:3\.\S+ 2$/);
    expect(await cluster().kubectl('get', 'deployment', 'kube-image-keeper-webhook', '-n', 'kuik-system', '-o', `jsonpath=${image}`)).toMatch(/^registry\.example\.com\//);
  }

  test('goes back to what v2 had, with the rule as its user wrote it', async () => {
    expect(await cluster().kubectl('get', 'deployment', '-n', 'kuik-system', '-o', 'jsonpath={.items[*].spec.template.spec.containers[0].image}')).toBe('quay.io/enix/kube-image-keeper:2.3.1');
    expect(await cluster().kubectl('get', 'cism', 'everything', '-o', 'jsonpath={.spec.cleanup.retention} {.metadata.generation}')).toBe('168h 1');
  });
});
