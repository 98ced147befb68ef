/** What Helm makes of the chart: no server is asked here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { wholeWebhook } from '../../src/cluster/kubernetes/webhook-configuration.js';
import { check } from '../../src/commands/check.js';
import { findInstallation } from '../../src/commands/find-installation.js';
import { uninstall } from '../../src/commands/uninstall.js';
import { renamedValues } from '../../src/config/chart/renamed.js';
import { readEnvironment } from '../../src/config/environment.js';
import { loadConfig } from '../../src/config/load-config.js';
import { parseFlags } from '../../src/config/flags.js';
import { admissionPath, webhookConfiguration } from '../../src/webhook/configuration.js';
import { runTool } from '../../tools/servers.js';
import { dashboardFile, dashboardJson, dashboards } from '../support/dashboards.js';
import { chartFolder, namespace, podsOf, profiles, render, template, theOne, titleOf, variable, type Container, type Installation, type Rendered } from './helm.js';

const v2: Installation = { files: [join('..', '..', 'test', 'chart', 'v2-values.yaml')] };
const everything: Readonly<Record<string, Installation>> = {
  ...profiles,
  v2,
  'the defaults of v2': { files: [join('..', '..', 'test', 'chart', 'v2-defaults.yaml')] },
  'cert-manager': { values: { certificates: { mode: 'certManager' } } },
  'provided certificates': { values: { certificates: { mode: 'provided', provided: { secretName: 'tls', caBundle: 'PEM' } } } },
};
const names = Object.keys(everything);
const installation = (name: string): Installation => everything[name] ?? {};

describe.each(names)('the installation %s', (name) => {
  test('passes helm lint', async () => {
    const { files = [], values = {} } = installation(name);
    const args = ['lint', chartFolder, '--strict', `--namespace=${namespace}`, ...files.map((file) => `--values=${join(chartFolder, file)}`), '--values=-'];

    expect(await runTool('helm', args, { input: JSON.stringify(values) })).toMatchObject({ code: 0 });
  });

  test('is the same bytes each time it is rendered', async () => {
    const [first, second] = await Promise.all([template(installation(name)), template(installation(name))]);

    expect(first.code).toBe(0);
    expect(second.stdout).toBe(first.stdout);
  });

  test('names no object twice, and each in its namespace', async () => {
    const objects = await render(installation(name));
    const clusterKinds = ['ClusterRole', 'ClusterRoleBinding', 'MutatingWebhookConfiguration', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding', 'FlowSchema'];

    expect(objects.filter((object, at) => objects.findIndex((other) => titleOf(other) === titleOf(object)) !== at).map(titleOf)).toEqual([]);
    expect(objects.filter(({ kind, metadata }) => (metadata.namespace === undefined) !== clusterKinds.includes(kind)).map(titleOf)).toEqual([]);
  });

  test('selects by labels that its Pods have', async () => {
    const objects = await render(installation(name));
    const pods = [...podsOf(objects).values()];
    const selectors = objects.flatMap((object) => selectorsOf(object).map((selector) => ({ title: titleOf(object), selector })));

    const empty = selectors.filter(({ selector }) => !pods.some(({ metadata }) => Object.entries(selector).every(([key, value]) => metadata.labels[key] === value)));

    expect(empty.map(({ title }) => title)).toEqual([]);
  });

  test('gives kuik flags and a configuration that it understands', async () => {
    const objects = await render(installation(name));
    const { data } = theOne(objects, 'ConfigMap/kube-image-keeper-manager-config') as unknown as { data: { 'config.yaml': string } };
    const loaded = loadConfig(data['config.yaml'], { readFile: () => 'a file', installNamespace: namespace });

    expect(loaded).toMatchObject({ warnings: [], config: { temporal: { namespace: 'kuik' } } });
    for (const { args = [] } of kuikContainers(objects)) expect(parseFlags(args.slice(1)).problems).toBeUndefined();
  });
});

describe('the webhook configuration', () => {
  test.each(Object.keys(profiles))('is in %s what the code would write whole, but for the authority', async (name) => {
    const client = { service: { namespace, name: 'kube-image-keeper-webhook', path: admissionPath, port: 443 } };
    const { clientConfig, ...webhook } = wholeWebhook(webhookConfiguration({ name: '', client }, '')) as { clientConfig: { service: object } };
    const rendered = theOne(await render(installation(name)), 'MutatingWebhookConfiguration/kube-image-keeper-mutating-webhook');

    expect(rendered['webhooks']).toEqual([{ ...webhook, clientConfig: { service: clientConfig.service } }]);
  });

  test('joins the namespaces a user selects with those that did not opt out', async () => {
    const [webhook] = theOne(await render(v2), 'MutatingWebhookConfiguration/kube-image-keeper-mutating-webhook')['webhooks'] as [{ namespaceSelector: object }];

    expect(webhook.namespaceSelector).toEqual({
      matchExpressions: [
        { key: 'kuik.enix.io/ignore', operator: 'NotIn', values: ['true'] },
        { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] },
      ],
    });
  });

  test.each([
    ['its own, which it publishes', { mode: 'self' }, undefined, { manager: undefined, webhook: undefined }],
    ['one of cert-manager, whose authority the manager publishes', { mode: 'certManager' }, undefined, { manager: ['ca.crt'], webhook: 'all' }],
    ['one of the user, whose authority the manager publishes', { mode: 'provided', provided: { secretName: 'tls' } }, undefined, { manager: ['ca.crt'], webhook: 'all' }],
    ['one of the user, whose authority is a value', { mode: 'provided', provided: { secretName: 'tls', caBundle: 'PEM' } }, 'UEVN', { manager: ['ca.crt'], webhook: 'all' }],
  ])('with a certificate that is %s', async (_sentence, certificates, caBundle, files) => {
    const objects = await render({ values: { certificates } });
    const [webhook] = theOne(objects, 'MutatingWebhookConfiguration/kube-image-keeper-mutating-webhook')['webhooks'] as { clientConfig: { caBundle?: string } }[];
    const mounted = (part: string): unknown => {
      const volumes = podsOf(objects).get(`Deployment/kube-image-keeper-${part}`)?.spec.volumes as { name: string; secret?: { items?: { key: string }[] } }[];
      const secret = volumes.find(({ name }) => name === 'certificate')?.secret;
      return secret && (secret.items?.map(({ key }) => key) ?? 'all');
    };

    expect(webhook?.clientConfig.caBundle).toBe(caBundle);
    expect({ manager: mounted('manager'), webhook: mounted('webhook') }).toEqual(files);
  });
});

describe('names', () => {
  const expected = ['Deployment/F-manager', 'Deployment/F-webhook', 'Service/F-webhook', 'Service/F-manager-metrics', 'MutatingWebhookConfiguration/F-mutating-webhook', 'ConfigMap/F-manager-config', 'ClusterRole/F-manager', 'ClusterRoleBinding/F-manager', 'ClusterRole/F-manager-leader-election', 'ServiceAccount/F-manager'];

  test.each([
    ['kube-image-keeper', {}, 'kube-image-keeper'],
    ['kuik', {}, 'kuik-kube-image-keeper'],
    ['any', { fullnameOverride: 'ours' }, 'ours'],
    ['any', { nameOverride: 'keeper' }, 'any-keeper'],
  ])('of release %s with %j begin with %s, in the chart and in the processes', async (release, values, fullName) => {
    const objects = await render({ release, values });

    expect(objects.map(titleOf)).toEqual(expect.arrayContaining(expected.map((title) => title.replace('F-', `${fullName}-`))));
    expect(kuikContainers(objects).map((container) => variable(container, 'KUIK_FULL_NAME'))).toEqual([fullName, fullName]);
    expect(await findInstallation({ objects: async (_type, { labelSelector = '' } = {}) => configMapsWith(objects, labelSelector) }, readEnvironment({}))).toMatchObject({ fullName });
  });

  test('of what is optional, are those of v2', async () => {
    const titles = (await render({ ...v2, values: { certificates: { mode: 'certManager' } } })).map(titleOf);

    expect(titles).toEqual(expect.arrayContaining(['PodDisruptionBudget/kube-image-keeper-manager', 'ServiceMonitor/kube-image-keeper-manager', 'Certificate/kube-image-keeper-serving-cert', 'Issuer/kube-image-keeper-selfsigned-issuer', 'ServiceAccount/kuik']));
  });

  test('fit where a name may have 63 characters', async () => {
    const objects = await render({ release: 'r'.repeat(53) });

    expect(objects.filter(({ kind, metadata }) => kind === 'Service' && metadata.name.length > 63).map(titleOf)).toEqual([]);
  });

  test('the manager is selected as in v2, so that it is upgraded in place', async () => {
    expect(theOne(await render({}), 'Deployment/kube-image-keeper-manager')['spec']).toMatchObject({
      selector: { matchLabels: { 'app.kubernetes.io/name': 'kube-image-keeper', 'app.kubernetes.io/instance': 'kube-image-keeper', 'app.kubernetes.io/component': 'manager' } },
    });
  });
});

describe.each(['Deployment/kube-image-keeper-manager', 'Deployment/kube-image-keeper-webhook'])('the Pod of %s', (title) => {
  test('is not taken for dead before two minutes of starting are over: on a busy node the liveness probe alone would end it', async () => {
    const [container] = podsOf(await render({})).get(title)?.spec.containers ?? [];

    expect(container).toMatchObject({ startupProbe: { httpGet: { path: '/healthz' }, periodSeconds: 2, failureThreshold: 60 }, livenessProbe: { httpGet: { path: '/healthz' } } });
  });
});

describe('values of v2', () => {
  test('reach both processes', async () => {
    const pods = podsOf(await render(v2));
    for (const title of ['Deployment/kube-image-keeper-manager', 'Deployment/kube-image-keeper-webhook']) {
      expect(pods.get(title)).toMatchObject({
        metadata: { annotations: { 'example.com/team': 'platform' } },
        spec: {
          priorityClassName: 'system-cluster-critical',
          imagePullSecrets: [{ name: 'pull' }],
          nodeSelector: { 'example.com/pool': 'system', 'kubernetes.io/os': 'linux' },
          securityContext: { runAsUser: 1234, runAsNonRoot: true },
          topologySpreadConstraints: [{ topologyKey: 'example.com/rack' }],
          containers: [{ image: 'registry.example.com/enix/kube-image-keeper:3.1.0', imagePullPolicy: 'Always', readinessProbe: { periodSeconds: 3 }, securityContext: { readOnlyRootFilesystem: false, allowPrivilegeEscalation: false } }],
        },
      });
    }
  });

  test("give way to the webhook's own", async () => {
    const pods = podsOf(await render({ ...v2, values: { webhook: { priorityClassName: 'own', podAnnotations: {} } } }));

    expect(pods.get('Deployment/kube-image-keeper-webhook')).toMatchObject({ metadata: { annotations: { 'checksum/configuration': expect.any(String) } }, spec: { priorityClassName: 'own' } });
    expect(pods.get('Deployment/kube-image-keeper-webhook')?.metadata.annotations).not.toHaveProperty(['example.com/team']);
    expect(pods.get('Deployment/kube-image-keeper-manager')?.spec['priorityClassName']).toBe('system-cluster-critical');
  });

  test('say that the certificate is of an issuer of one\'s own', async () => {
    const objects = await render({ values: { manager: { webhook: { createCertificateIssuer: false, certificateIssuerRef: { kind: 'ClusterIssuer', name: 'ours' } } } } });

    expect(theOne(objects, 'Certificate/kube-image-keeper-serving-cert')['spec']).toMatchObject({ issuerRef: { kind: 'ClusterIssuer', name: 'ours' } });
    expect(objects.map(titleOf)).not.toContain('Issuer/kube-image-keeper-selfsigned-issuer');
  });
});

describe('an installation that could not mean what it says stops', () => {
  test.each(Object.entries(renamedValues))('with the value %s, naming its successor', async (key, successor) => {
    const { code, stderr } = await template({ values: key.split('.').reduceRight<unknown>((value, each) => ({ [each]: value }), 1) as object });

    expect(code).not.toBe(0);
    expect(stderr).toContain(`the value ${key} is gone; write instead: ${successor}`);
  });

  test.each([
    ['an image of v2', { manager: { image: { tag: '2.3.1' } } }, /manager\.image\.tag is 2\.3\.1, an image of an older kuik, .*: leave it out/],
    ['a misspelt value', { manger: {} }, /manger/],
    ['a value of a wrong type', { webhook: { replicas: 'two' } }, /replicas/],
    ['an unknown mode', { temporal: { mode: 'cloud' } }, /mode/],
    ['an external Temporal without address', { temporal: { mode: 'external' } }, /temporal\.external\.address/],
    ['a provided certificate without Secret', { certificates: { mode: 'provided' } }, /certificates\.provided\.secretName/],
    ['people who log in with half of what it takes', { temporal: { ui: { oidc: { providerUrl: 'https://id.example.com', clientId: 'kuik' } } } }, /temporal\.ui\.oidc\.existingSecret/],
    ['nobody who runs the workflows', { temporal: { servesWorkflows: false } }, /temporal\.shared/],
    ['one process in two Pods', { singleProcess: true, manager: { replicas: 2 } }, /manager\.replicas/],
    ['a database without password', { temporal: { database: { host: 'db' } } }, /temporal\.database\.existingSecret/],
    ['a memory limit that is none', { webhook: { resources: { limits: { memory: '12 apples' } } } }, /is no quantity/],
  ])('with %s', async (_sentence, values, message) => {
    const { code, stderr } = await template({ values });

    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  });

  test('but not with the heading that helm get values prints', async () => {
    expect(await template({ values: { 'USER-SUPPLIED VALUES': null, manager: { replicas: 2 } } })).toMatchObject({ code: 0 });
  });

  test('but not with a key of the configuration that only a later kuik knows', async () => {
    expect(await template({ values: { configuration: { later: true, retention: { default: 0 } } } })).toMatchObject({ code: 0 });
  });
});

describe('Pods', () => {
  test.each([
    ['512Mi', '320'],
    ['1Gi', '640'],
    ['1G', '596'],
    [268435456, '160'],
  ])('with a memory limit of %s have a heap of %s MiB', async (memory, heap) => {
    const objects = await render({ values: { manager: { resources: { limits: { memory } } } } });

    expect(variable(kuikContainers(objects)[0] as Container, 'NODE_OPTIONS')).toBe(`--max-old-space-size=${heap}`);
  });

  test('keep what a user says about Node, and name no variable twice', async () => {
    const [container] = kuikContainers(await render({ values: { manager: { env: [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=99' }] } } }));

    expect(container?.env?.filter(({ name }) => name === 'NODE_OPTIONS')).toEqual([{ name: 'NODE_OPTIONS', value: '--max-old-space-size=99' }]);
  });

  test.each(['a new configuration', 'another address of Temporal'])('start anew with %s', async (change) => {
    const values = change === 'a new configuration' ? { configuration: { skipLabels: ['a=b'] } } : { temporal: { mode: 'external', external: { address: 'a:1' } } };
    const sum = async (installation: Installation): Promise<string | undefined> => podsOf(await render(installation)).get('Deployment/kube-image-keeper-manager')?.metadata.annotations?.['checksum/configuration'];

    expect(await sum({ values })).not.toBe(await sum({}));
  });

  test('come from one registry when a user says so', async () => {
    const pods = [...podsOf(await render({ values: { global: { imageRegistry: 'registry.example.com/hub' } } })).values()];
    const images = pods.flatMap(({ spec }) => [...(spec.initContainers ?? []), ...spec.containers]).map(({ image }) => image);

    expect(images.filter((image) => !image.startsWith('registry.example.com/hub/'))).toEqual([]);
    expect(images).toContainEqual(expect.stringMatching(/^registry\.example\.com\/hub\/temporalio\/server:/));
  });
});

describe('Temporal', () => {
  test.each([
    ['bundled', {}, ['StatefulSet/kube-image-keeper-temporal', 'StatefulSet/kube-image-keeper-postgresql', 'Deployment/kube-image-keeper-temporal-ui']],
    ['bundled, on a database of the user', { database: { host: 'db', existingSecret: 's' } }, ['StatefulSet/kube-image-keeper-temporal', 'Deployment/kube-image-keeper-temporal-ui']],
    ['demo', { mode: 'demo' }, ['StatefulSet/kube-image-keeper-temporal']],
    ['external', { mode: 'external', external: { address: 'a:1' } }, []],
  ])('%s runs what it needs', async (_sentence, temporal, expected) => {
    const objects = await render({ values: { temporal } });

    expect([...podsOf(objects).keys()].filter((title) => /temporal|postgresql/.test(title) && !title.startsWith('Pod/')).sort()).toEqual([...expected].sort());
  });

  test('bundled: the server has a configuration that is YAML once its template is filled in, with 32 shards for ever', async () => {
    const objects = await render({});
    const { data } = theOne(objects, 'ConfigMap/kube-image-keeper-temporal') as unknown as { data: Record<string, string> };
    const filled = (data['config.yaml'] ?? '').replaceAll('{{ env "SQL_PASSWORD" | quote }}', '"p"').replaceAll('{{ env "POD_IP" | quote }}', '"10.0.0.1"');

    expect(data['config.yaml']).toMatch(/^# enable-template\n/);
    expect(filled).not.toContain('{{');
    expect(parse(filled)).toMatchObject({
      persistence: { numHistoryShards: 32, datastores: { main: { sql: { connectAddr: 'kube-image-keeper-postgresql:5432', databaseName: 'temporal', password: 'p' } } } },
      global: { membership: { broadcastAddress: '10.0.0.1' } },
    });
    expect(Object.keys(parse(data['dynamic.yaml'] ?? '') as object)).toContain('limit.maxIDLength');
  });

  test.each([
    ['on behind a port-forward alone', {}, 'false'],
    ['off for peers that nobody knows', { allowFrom: [{ podSelector: {} }] }, 'true'],
    ['on for peers who log in', { allowFrom: [{ podSelector: {} }], oidc: { providerUrl: 'https://id.example.com', clientId: 'kuik', existingSecret: 'oidc', callbackUrl: 'https://temporal.example.com/auth/sso/callback' } }, 'false'],
  ])('bundled: write actions of the UI are %s', async (_sentence, ui, disabled) => {
    const [container] = podsOf(await render({ values: { temporal: { ui } } })).get('Deployment/kube-image-keeper-temporal-ui')?.spec.containers ?? [];

    expect(variable(container as Container, 'TEMPORAL_DISABLE_WRITE_ACTIONS')).toBe(disabled);
    expect(variable(container as Container, 'TEMPORAL_AUTH_CLIENT_ID')).toBe('oidc' in ui ? 'kuik' : undefined);
    expect(container?.env?.find(({ name }) => name === 'TEMPORAL_AUTH_CLIENT_SECRET')?.valueFrom).toEqual('oidc' in ui ? { secretKeyRef: { name: 'oidc', key: 'client-secret' } } : undefined);
  });

  test('bundled: the manager makes the password that the database and the server read', async () => {
    const objects = await render({});
    const reads = [...podsOf(objects).values()].flatMap(({ spec }) => [...(spec.initContainers ?? []), ...spec.containers]).flatMap(({ env = [] }) => env.flatMap(({ valueFrom }) => (valueFrom as { secretKeyRef?: object } | undefined)?.secretKeyRef ?? []));

    expect(variable(kuikContainers(objects)[0] as Container, 'KUIK_DATABASE_SECRET')).toBe('kube-image-keeper-postgresql');
    expect(reads).toEqual(Array(3).fill({ name: 'kube-image-keeper-postgresql', key: 'password' }));
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  });

  test('with a password of the user: the manager makes none', async () => {
    const objects = await render({ values: { temporal: { database: { existingSecret: 'mine', passwordKey: 'p' } } } });

    expect(variable(kuikContainers(objects)[0] as Container, 'KUIK_DATABASE_SECRET')).toBeUndefined();
    expect(JSON.stringify(theOne(objects, 'StatefulSet/kube-image-keeper-postgresql'))).toContain('{"name":"mine","key":"p"}');
  });

  test('external: kuik reads its certificates and its key from files of Secrets', async () => {
    const objects = await render({ files: ['values-external-temporal.yaml'], values: { temporal: { external: { apiKey: { secretName: 'key' } } } } });
    const { data } = theOne(objects, 'ConfigMap/kube-image-keeper-manager-config') as unknown as { data: { 'config.yaml': string } };
    const at = '/etc/kube-image-keeper-temporal';

    expect(parse(data['config.yaml'])).toMatchObject({
      temporal: { address: 'temporal.example.com:7233', shared: true, apiKeyFile: `${at}/api-key/api-key`, tls: { caFile: `${at}/tls/ca.crt`, certFile: `${at}/tls/tls.crt`, keyFile: `${at}/tls/tls.key` } },
    });
    expect(kuikContainers(objects)[0]?.['volumeMounts']).toEqual(expect.arrayContaining([expect.objectContaining({ mountPath: `${at}/tls` }), expect.objectContaining({ mountPath: `${at}/api-key` })]));
  });

  test.each([
    ['nobody but a port-forward', {}, 'false'],
    ['others, too', { allowFrom: [{ podSelector: {} }] }, 'true'],
    ['others, who log in', { allowFrom: [{ podSelector: {} }], oidc: { providerUrl: 'https://id.example.com', clientId: 'kuik', existingSecret: 'kuik-oidc', callbackUrl: 'https://ui.example.com/auth/sso/callback' } }, 'false'],
  ])('the UI is reached by %s: write actions are off: %4$s', async (_sentence, ui, off) => {
    const pod = podsOf(await render({ values: { temporal: { ui } } })).get('Deployment/kube-image-keeper-temporal-ui');

    expect(variable(pod?.spec.containers[0] as Container, 'TEMPORAL_DISABLE_WRITE_ACTIONS')).toBe(off);
  });

  test('no NetworkPolicy lets the webhook near the server, or anybody but the server near the database', async () => {
    const objects = await render({});
    const peersOf = (name: string): string[] => JSON.stringify(theOne(objects, `NetworkPolicy/kube-image-keeper-${name}`)['spec']).match(/(?<="app.kubernetes.io\/component":")[a-z-]+/g) ?? [];

    expect(peersOf('temporal')).toEqual(expect.not.arrayContaining(['webhook']));
    expect([...new Set(peersOf('postgresql'))].sort()).toEqual(['postgresql', 'temporal']);
  });
});

describe('hooks', () => {
  const hookOf = ({ metadata }: Rendered): string => metadata.annotations?.['helm.sh/hook'] ?? '';

  test.each([
    ['usually', {}, ['post-install,post-upgrade,test', 'pre-delete', 'test']],
    ['only when somebody asks, without Job', { check: { create: false }, cleanup: { create: false } }, ['test']],
    ['never, where roles are not ours to make, but for the health of Temporal', { rbac: { create: false } }, ['test']],
  ])('check and clean %s', async (_sentence, values, expected) => {
    const hooks = new Set((await render({ values })).map(hookOf));

    expect([...hooks].filter((hook) => hook !== '').sort()).toEqual([...expected].sort());
  });

  test('ask kuik itself, which knows the commands and their flags', async () => {
    const pods = podsOf(await render({}));
    const args = ['check', 'cleanup'].map((name) => pods.get(`Job/kube-image-keeper-${name}`)?.spec.containers[0]?.args ?? []);

    expect(args).toEqual([['check', '--only=webhook', '--timeout=5m'], ['uninstall', '--yes']]);
    expect([await check([...(args[0] ?? []).slice(1), '--help']), await uninstall([...(args[1] ?? []).slice(1), '--help'])]).toEqual([0, 0]);
  });

  test('go when they have succeeded, with their rights', async () => {
    const kept = (await render({})).filter((object) => hookOf(object) !== '' && object.metadata.annotations?.['helm.sh/hook-delete-policy'] !== 'before-hook-creation,hook-succeeded');

    expect(kept.map(titleOf)).toEqual([]);
  });
});

/** Labels by which an object finds Pods. */
function selectorsOf({ kind, ...object }: Rendered): Readonly<Record<string, string>>[] {
  const spec = object['spec'] as { selector?: { matchLabels?: Record<string, string> } & Record<string, string>; podSelector?: { matchLabels: Record<string, string> } } | undefined;
  if (kind === 'Service') return [spec?.selector ?? {}];
  if (kind === 'NetworkPolicy') return [spec?.podSelector?.matchLabels ?? {}];
  return spec?.selector?.matchLabels === undefined || kind === 'ServiceMonitor' ? [] : [spec.selector.matchLabels];
}

/** The containers that run kuik, the manager's first. */
/** As an API server selects them. */
function configMapsWith(objects: readonly Rendered[], labelSelector: string): readonly Rendered[] {
  const wanted = labelSelector.split(',').map((each) => each.split('='));
  return objects.filter(({ kind, metadata: { labels = {} } }) => kind === 'ConfigMap' && wanted.every(([key = '', value]) => labels[key] === value));
}

function kuikContainers(objects: readonly Rendered[]): readonly Container[] {
  const pods = podsOf(objects);
  return ['manager', 'webhook'].flatMap((part) => [...pods].find(([title]) => title.endsWith(`-${part}`) && title.startsWith('Deployment/'))?.[1].spec.containers ?? []);
}

describe('metrics', () => {
  const monitored = async (values: object): Promise<unknown> => (theOne(await render({ values: { manager: { serviceMonitor: { create: true } }, ...values } }), 'ServiceMonitor/kube-image-keeper-manager')['spec'] as { endpoints: unknown }).endpoints;

  test('of the manager are scraped at both of its ports', async () => {
    expect(await monitored({})).toMatchObject([{ port: 'http' }, { port: 'sdk' }]);
  });

  test('that are secure are scraped with a token, which the other port never wants', async () => {
    const endpoints = await monitored({ metrics: { secure: true } });

    expect(endpoints).toMatchObject([{ port: 'http', scheme: 'https', bearerTokenFile: expect.any(String) }, { port: 'sdk' }]);
    expect(endpoints).not.toMatchObject([{}, { scheme: 'https' }]);
  });

  test('that are secure are served so by both processes, and a role says who reads them', async () => {
    const objects = await render({ values: { metrics: { secure: true } } });

    for (const { args } of kuikContainers(objects)) expect(args).toContain('-metrics-secure=true');
    expect(theOne(objects, 'ClusterRole/kube-image-keeper-metrics-reader')['rules']).toEqual([{ nonResourceURLs: ['/metrics'], verbs: ['get'] }]);
  });

  test('are shown on dashboards that a sidecar finds, each whole', async () => {
    const objects = await render({ values: { dashboards: { create: true, annotations: { folder: 'kuik' } } } });

    for (const dashboard of dashboards) {
      const map = theOne(objects, `ConfigMap/kube-image-keeper-dashboard-${dashboard.uid.replace('kuik-', '')}`);
      expect(map.metadata).toMatchObject({ labels: { grafana_dashboard: '1' }, annotations: { folder: 'kuik' } });
      expect((map['data'] as Record<string, string>)[dashboardFile(dashboard)]).toBe(dashboardJson(dashboard));
    }
  });
});

describe('what Pods may speak to', () => {
  const egress = async (part: string, temporal: object = {}): Promise<unknown> => (theOne(await render({ values: { temporal } }), `NetworkPolicy/kube-image-keeper-${part}`)['spec'] as { egress?: unknown }).egress;

  test('is nobody for the database, and the database and each other for Temporal', async () => {
    expect(await egress('postgresql')).toEqual([]);
    expect(JSON.stringify(await egress('temporal'))).toContain('"app.kubernetes.io/component":"postgresql"');
    expect(JSON.stringify(await egress('temporal-ui'))).toContain('"app.kubernetes.io/component":"temporal"');
  });

  test('is not narrowed where nobody knows: a database of the user, a provider of logins, registries', async () => {
    expect(await egress('temporal', { database: { host: 'db', existingSecret: 's' } })).toBeUndefined();
    expect(await egress('temporal-ui', { ui: { oidc: { providerUrl: 'https://id.example.com', clientId: 'c', existingSecret: 's', callbackUrl: 'https://t' } } })).toBeUndefined();
    expect(await egress('manager')).toBeUndefined();
    expect(await egress('webhook')).toBeUndefined();
  });
});

test('images.txt lists what any profile needs, and nothing else', async () => {
  const installations = [...Object.values(profiles), { values: { temporal: { mode: 'demo' } } }];
  const needed = await Promise.all(installations.map(async (each) => [...podsOf(await render(each)).values()].flatMap(({ spec }) => [...(spec.initContainers ?? []), ...spec.containers]).map(({ image }) => image)));

  expect(readFileSync(join(chartFolder, 'images.txt'), 'utf8').trim().split('\n')).toEqual([...new Set(needed.flat())].sort());
});
