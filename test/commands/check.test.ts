import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Resource } from '../../src/cluster/cluster.js';
import type { ApiObject } from '../../src/cluster/kubernetes/objects.js';
import { checkDefinitions } from '../../src/commands/check/definitions.js';
import type { Asked, Asking, Finding } from '../../src/commands/check/finding.js';
import { fitness } from '../../src/commands/check/fitness.js';
import { checkManager, checkTemporal } from '../../src/commands/check/manager.js';
import { checkRights } from '../../src/commands/check/rights.js';
import { checkCredentials, checkRegistries } from '../../src/commands/check/rules.js';
import { checkTable } from '../../src/commands/check/run.js';
import { checkCertificate, checkWebhook } from '../../src/commands/check/webhook.js';
import type { ImageRecord } from '../../src/domain/record.js';
import { makeAuthority } from '../../src/webhook/x509.js';
import { aPlace, aRecord } from '../support/builders.js';

const now = Date.parse('2026-11-21T10:00:00Z');
const dayMs = 86_400_000;

/** A cluster that answers what a test is about, and nothing else. */
function asking(some: Partial<Asked>, version = '3.0.0'): Asking {
  const nothing: Asked = {
    definition: async (name) => ({ name, version: '3.0.0', resourceVersion: '1' }),
    list: async () => [],
    object: async () => undefined,
    objects: async () => [],
    registeredWebhook: async () => undefined,
    tryPod: async () => ({}),
    mayI: async () => true,
    mayAccount: async () => true,
  };
  return { cluster: { ...nothing, ...some }, installNamespace: 'kuik-system', fullName: 'kube-image-keeper', namespace: 'kuik-system', version, now };
}

const said = ({ state, what, next = '' }: Finding): string => `${state}: ${what}${next === '' ? '' : ` -> ${next}`}`;

describe('definitions', () => {
  test.each<[string, Partial<Asked>, string, RegExp]>([
    ['are good when all are of this version', {}, '3.0.0', /^good: 6 definitions of version 3\.0\.0$/],
    ['are good when a later kuik wrote them', {}, '2.9.0', /^good: /],
    ['are bad when one is missing, by its name', { definition: async (name) => (name.startsWith('imagesetmirrors') ? undefined : { name, version: '3.0.0', resourceVersion: '1' }) }, '3.0.0', /^bad: missing: imagesetmirrors\.kuik\.enix\.io -> kubectl apply/],
    ['are bad when they are older', {}, '3.1.0', /^bad: older than 3\.1\.0: .* -> .*crds\.upgrade/],
    ['are bad when they are those of v2', { definition: async (name) => ({ name, resourceVersion: '1' }) }, '3.0.0', /^bad: older/],
  ])('%s', async (_sentence, cluster, version, expected) => {
    expect(said(await checkDefinitions(asking(cluster, version)))).toMatch(expected);
  });
});

const registered = (caBundle = 'PEM') => async () => ({ reachedBy: 'service', caBundle }) as const;
const mark = { 'kuik.enix.io/reason': '{"check":"PullPolicyNever"}' };

const aPodOf = (component: string, ready: boolean, why?: string, image = 'ghcr.io/enix/kube-image-keeper:3.0.0'): ApiObject => ({
  metadata: { name: `kube-image-keeper-${component}-0`, labels: { 'app.kubernetes.io/component': component } },
  spec: { containers: [{ image }] },
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }], containerStatuses: [{ ready, state: why === undefined ? {} : { waiting: { reason: why } } }] },
});
const withPods = (...pods: ApiObject[]): Pick<Asked, 'objects'> => ({ objects: async (_type, query) => pods.filter(({ metadata }) => query?.labelSelector?.endsWith(`=${metadata.labels?.['app.kubernetes.io/component']}`)) });

describe('a webhook', () => {
  test.each<[string, Partial<Asked>, RegExp]>([
    ['that answers is good', { registeredWebhook: registered(), tryPod: async () => mark }, /^good: a Pod in kuik-system comes back routed$/],
    ['that is not registered', {}, /^bad: .*not registered.* -> .*KUIK_FULL_NAME/],
    ['that is trusted by nobody yet', { registeredWebhook: registered('') }, /^bad: nobody has published.* -> .*manager/],
    ['that leaves no mark', { registeredWebhook: registered(), tryPod: async () => ({ other: '' }) }, /^bad: .*came back without kuik\.enix\.io\/reason -> .*Service/],
    ['that leaves no mark, and none of whose Pods is ready', { registeredWebhook: registered(), ...withPods(aPodOf('webhook', false, 'CrashLoopBackOff')) }, /^bad: .* -> none of its 1 Pod is ready, kube-image-keeper-webhook-0: CrashLoopBackOff/],
  ])('%s', async (_sentence, cluster, expected) => {
    expect(said(await checkWebhook(asking(cluster)))).toMatch(expected);
  });

  test('is asked with a Pod of a restricted kind, and no registry is asked about its image', async () => {
    let tried: object | undefined;
    await checkWebhook(asking({ registeredWebhook: registered(), tryPod: async (_namespace, pod) => ((tried = pod), mark) }));

    expect(tried).toMatchObject({ metadata: { namespace: 'kuik-system' }, spec: { containers: [{ imagePullPolicy: 'Never', securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false } }] } });
  });
});

describe('a certificate', () => {
  const authorities = new Map<number, string>();
  beforeAll(async () => {
    for (const days of [-1, 3, 200]) authorities.set(days, (await makeAuthority('kuik', now - 365 * dayMs, (365 + days) * dayMs + 1)).certificate);
  });

  test.each<[string, readonly number[], RegExp]>([
    ['that is young is good', [200], /^good: the authority is trusted for 200 days, until 2027-06-09$/],
    ['that ends within a week is bad', [3], /^bad: .*3 more days, until 2026-11-24 -> .*KuikCertificateExpiring/],
    ['that has ended is bad', [-1], /^bad: .*was trusted until 2026-11-20/],
    ['that has a successor already is good', [3, 200], /^good: .*200 days/],
    ['that is not there is told nothing of', [], /^hidden: /],
  ])('%s', async (_sentence, days, expected) => {
    const bundle = days.map((each) => authorities.get(each)).join('\n');

    expect(said(await checkCertificate(asking({ registeredWebhook: registered(bundle) })))).toMatch(expected);
  });
});

const leaseOf = (renewedAt: string): Pick<Asked, 'object'> => ({ object: async () => ({ metadata: { name: 'lease' }, spec: { holderIdentity: 'manager-1', renewTime: renewedAt } }) });

describe('a manager', () => {
  test.each<[string, Partial<Asked>, RegExp]>([
    ['that leads is good', leaseOf('2026-11-21T09:59:58Z'), /^good: manager-1 leads$/],
    ['is told with its Pods', { ...leaseOf('2026-11-21T09:59:58Z'), ...withPods(aPodOf('manager', true)) }, /^good: manager-1 leads, 1 of 1 Pod ready$/],
    ['of another version is good, and told', { ...leaseOf('2026-11-21T09:59:58Z'), ...withPods(aPodOf('manager', true, undefined, 'r:5000/k:3.1.0@sha256:0')) }, /^good: .*of version 3\.1\.0, while this command is 3\.0\.0$/],
    ['that is not there', {}, /^bad: no manager leads: .* -> /],
    ['that fell silent', leaseOf('2026-11-21T09:50:00Z'), /^bad: no manager leads since 2026-11-21T09:50:00Z/],
    ['that has no memory', { ...withPods(aPodOf('manager', false, 'OOMKilled')) }, /^bad: .* -> none of its 1 Pod is ready, .*OOMKilled/],
  ])('%s', async (_sentence, cluster, expected) => {
    expect(said(await checkManager(asking(cluster)))).toMatch(expected);
  });
});

describe('rights', () => {
  const pods = withPods(aPodOf('manager', true), aPodOf('webhook', true));

  test.each<[string, Partial<Asked>, RegExp]>([
    ['are unknown where no Pod of ours runs', {}, /^hidden/],
    ['are good when both processes have all', pods, /^good: manager and webhook may do what they ask for, \d+ rights$/],
    ['are told of the one that runs', withPods(aPodOf('manager', true)), /^good: manager may do what it asks for/],
    ['are bad when one is missing, by its name', { ...pods, mayAccount: async (_account, { verb, subresource }) => !(verb === 'patch' && subresource === 'status') }, /^bad: .*the manager may not patch imageavailabilities\.kuik\.enix\.io\/status.* -> helm upgrade/],
    ['are good when Secrets are narrowed to namespaces', { ...pods, mayAccount: async (_account, { resource, namespace }) => resource !== 'secrets' || namespace === 'kuik-system' }, /^good/],
    ['are bad when Secrets are out of reach', { ...pods, mayAccount: async (_account, { resource }) => resource !== 'secrets' }, /^bad: the manager may not create secrets, .*the webhook may not get secrets/],
  ])('%s', async (_sentence, cluster, expected) => {
    expect(said(await checkRights(asking(cluster)))).toMatch(expected);
  });
});

const ruleWith = (...conditions: object[]): Resource => ({ kind: 'ClusterImageSetMirror', name: 'all', status: { conditions } }) as unknown as Resource;
const withRules = (rules: readonly Resource[], records: readonly ImageRecord[] = []): Pick<Asked, 'list'> => ({ list: (async (kind: string) => (kind === 'ImageAvailability' ? records : kind === 'ClusterImageSetMirror' ? rules : [])) as Asked['list'] });
const away = { type: 'Reconciling', status: 'True', reason: 'TemporalUnavailable', message: 'away' };

describe('Temporal', () => {
  test.each<[string, Partial<Asked>, RegExp]>([
    ['is good when a manager has taken work', withPods(aPodOf('manager', true)), /^good: the workers/],
    ['is good when rules do not wait for it', withRules([ruleWith()]), /^good: no rule waits/],
    ['is bad when rules do', { ...withRules([ruleWith(away)]), ...withPods(aPodOf('manager', true)) }, /^bad: Temporal cannot be reached, says ClusterImageSetMirror\/all/],
    ['is bad when its database is not ready', withPods(aPodOf('manager', true), aPodOf('postgresql', false, 'Pending')), /^bad: the server that the chart runs is not ready.* -> .*postgresql-0: Pending/],
    ['is unknown where nothing tells', {}, /^hidden: /],
  ])('%s', async (_sentence, cluster, expected) => {
    expect(said(await checkTemporal(asking(cluster)))).toMatch(expected);
  });
});

describe('registries', () => {
  test.each<[string, Partial<Asked>, RegExp]>([
    ['are good when none is used', {}, /^good: none is used yet$/],
    ['are good when none fails', withRules([ruleWith()], [aRecord()]), /^good: none is known to fail, for 1 image$/],
    ['are bad when a rule cannot reach one', withRules([ruleWith({ type: 'DestinationReachable', status: 'False', reason: 'Unreachable', message: 'r.example.com does not answer' })], [aRecord()]), /^bad: ClusterImageSetMirror\/all: Unreachable, r\.example\.com does not answer -> kuik status/],
    ['are bad when a rule is not ready because of one', withRules([ruleWith({ type: 'Ready', status: 'False', reason: 'Unreachable', message: 'r.example.com does not answer' })]), /^bad: .*r\.example\.com does not answer/],
    ['are not to blame when a rule is not ready because of what it says', withRules([ruleWith({ type: 'Ready', status: 'False', reason: 'InvalidFilter', message: 'spec.filter' })]), /^good/],
    ['are bad when one limits us', withRules([], [aRecord({ places: [aPlace({ reference: 'docker.io/library/nginx:1.27', role: 'origin', state: 'QuotaExceeded' })] })]), /^bad: docker\.io is QuotaExceeded for 1 image -> /],
  ])('%s', async (_sentence, cluster, expected) => {
    expect(said(await checkRegistries(asking(cluster)))).toMatch(expected);
  });
});

test.each<[string, Partial<Asked>, RegExp]>([
  ['are good when rules can use them', withRules([ruleWith({ type: 'CredentialsValid', status: 'True', reason: 'Accepted', message: '' })]), /^good: every Secret that 1 rule may name/],
  ['are bad when one is missing', withRules([ruleWith({ type: 'CredentialsValid', status: 'False', reason: 'CredentialMissing', message: 'secret kuik-system/push not found' })]), /^bad: ClusterImageSetMirror\/all: CredentialMissing, secret kuik-system\/push not found -> make the Secret/],
])('credentials %s', async (_sentence, cluster, expected) => {
  expect(said(await checkCredentials(asking(cluster)))).toMatch(expected);
});

describe('a cluster', () => {
  const usual: ApiObject = { metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } };

  test.each<[string, string, Partial<Asked>, RegExp]>([
    ['that is new enough is fit', 'kubernetes', {}, /^good/],
    ['that is too old is not', 'kubernetes', { objects: async () => undefined }, /^bad: .*older than 1\.30/],
    ['where you are administrator is fit', 'rights', {}, /^good/],
    ['where you are not is not', 'rights', { mayI: async ({ resource }) => !resource.startsWith('clusterrole') }, /^bad: you may not create clusterroles, clusterrolebindings -> /],
    ['where the names of the chart are free is fit', 'names', { object: async () => undefined, registeredWebhook: async () => undefined }, /^good/],
    ['where v1 has one of them is not, under that name', 'names', { object: async () => ({ metadata: { name: 'kube-image-keeper-mutating-webhook' } }), registeredWebhook: async () => undefined }, /^bad: .*of v1.* -> install as a release of another name/],
    ['where v2 has them is', 'names', { object: async () => ({ metadata: { name: 'kube-image-keeper-mutating-webhook' } }), registeredWebhook: async () => ({ reachedBy: 'service', caBundle: '' }) }, /^good/],
    ['with a usual class of volumes is fit', 'storage', { objects: async () => [usual] }, /^good: .*standard/],
    ['with classes and none of them usual is not', 'storage', { objects: async () => [{ metadata: { name: 'slow' } }] }, /^bad: .* -> .*storageClassName/],
    ['without volumes may be', 'storage', {}, /^hidden/],
  ])('%s', async (_sentence, part, cluster, expected) => {
    const look = fitness[part];
    expect(look === undefined ? '' : said(await look(asking(cluster)))).toMatch(expected);
  });
});

test('the table has what to do below it', () => {
  const parts = [{ part: 'webhook', state: 'good', what: 'answers' }, { part: 'temporal', state: 'bad', what: 'is away', next: 'look at it' }] as const;

  expect(checkTable({ parts: [...parts] })).toBe('PART       STATE   FOUND\nwebhook    good    answers\ntemporal   bad     is away\n\ntemporal: look at it\n');
});
