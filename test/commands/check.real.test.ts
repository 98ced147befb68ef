/** `kuik check` on an installation that is healthy, and on what breaks of it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Check } from '../../src/commands/documents/check.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { render } from '../chart/helm.js';
import { readDocument } from '../support/documents.js';
import { kuikAs, kuikOn } from '../support/kuik.js';
import { applyMirrorRule, createPod, push, until, untilMirrored } from '../support/stage.js';
import { userWith } from '../support/users.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('check') });
}, 300_000);
afterAll(() => stage?.close());

/** State by part, and the exit code. */
async function checked(...args: string[]): Promise<{ readonly code: number; readonly parts: Readonly<Record<string, string>>; readonly said: string }> {
  const { code, output } = await kuikOn(stage, 'check', '--timeout=1s', '-o', 'json', ...args);
  const { parts } = readDocument<Check>('Check', output);
  return { code, parts: Object.fromEntries(parts.map(({ part, state }) => [part, state])), said: parts.map(({ part, what, next = '' }) => `${part}: ${what} -> ${next}`).join('\n') };
}

const allGood = { definitions: 'good', webhook: 'good', certificate: 'good', manager: 'good', rights: 'hidden', temporal: 'good', registries: 'good', credentials: 'good' };

describe('kuik check', () => {
  test('says of every part that it is good: exit 0', async () => {
    await applyMirrorRule(stage, 'all');
    await push(stage, 'web:1.0');
    await createPod(stage, 'web', stage.image());
    await untilMirrored(stage, stage.image());
    await until('every part to be good', async () => (await checked()).code === 0);

    const { code, output, errors } = await kuikOn(stage, 'check');

    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect((await checked()).parts).toEqual(allGood);
    expect(output).toMatch(/^PART +STATE +FOUND\ndefinitions +good +6 definitions of version \S+\nwebhook +good +a Pod in kuik-system comes back routed\ncertificate +good +the authority is trusted for 36\d days, until \S+\nmanager +good +\S+ leads\nrights +hidden +no Pod of ours tells which account it runs as\ntemporal +good +no rule waits for it\nregistries +good +.*\ncredentials +good +.*\n$/);
  });

  test('names a Secret that a rule misses, and what to do: exit 2', async () => {
    await applyMirrorRule(stage, 'secret', { image: 'none', mirrors: [{ registry: stage.mirror.address, path: '/secret', credentialSecret: { name: 'push', namespace: 'kuik-system' } }] });
    await until('the rule to say so', async () => (await checked('--only=credentials')).code === 2);

    const { parts, said } = await checked();

    expect(parts).toEqual({ ...allGood, credentials: 'bad' });
    expect(said).toMatch(/credentials: ClusterImageSetMirror\/secret: CredentialMissing, .*kuik-system\/push.* -> make the Secret/);
    await stage.kubectl('delete', 'cism', 'secret');
  });

  test('names a registry that cannot be reached: exit 2', async () => {
    await applyMirrorRule(stage, 'nowhere', { image: 'none', mirrors: [{ registry: '127.0.0.1:1', path: '/nowhere' }] });
    await until('the rule to say so', async () => (await checked('--only=registries')).code === 2);

    const { parts, said } = await checked();

    expect(parts).toEqual({ ...allGood, registries: 'bad' });
    expect(said).toMatch(/registries: ClusterImageSetMirror\/nowhere: Unreachable, .*127\.0\.0\.1:1.* -> kuik status/);
    await stage.kubectl('delete', 'cism', 'nowhere');
  });

  test('tells that Temporal is away, and that Pods are routed all the same: exit 2', async () => {
    await stage.temporal.stop();
    const conditions = (): Promise<object> => stage.read('/apis/kuik.enix.io/v1alpha1/clusterimagesetmirrors/all');
    await until('the rule to say so', async () => JSON.stringify(await conditions()).includes('TemporalUnavailable')); // half a minute, and a check costs half a second of a core
    await until('a rule to say so', async () => (await checked('--only=temporal')).code === 2);

    const { parts, said } = await checked('--only=temporal', '--only=webhook');

    expect(parts).toEqual({ webhook: 'good', temporal: 'bad' });
    expect(said).toContain('Pods are routed all the same');
    await stage.temporal.start();
  });

  test('names a right that a role lacks: exit 2', async () => {
    const installed = (await render({})).filter(({ kind }) => /^(?:ServiceAccount|(?:Cluster)?Role(?:Binding)?)$/.test(kind));
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'kube-image-keeper-manager-0', namespace: 'kuik-system', labels: { 'app.kubernetes.io/component': 'manager', 'kuik.enix.io/ignore': 'true' } }, spec: { serviceAccountName: 'kube-image-keeper-manager', containers: [{ name: 'manager', image: 'kuik:1' }] } };
    await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...installed, pod] }));
    await until('the roles to be in force', async () => (await checked('--only=rights')).parts['rights'] === 'good');

    await stage.kubectl('delete', 'clusterrolebinding', 'kube-image-keeper-manager');
    await until('one to be missed', async () => (await checked('--only=rights')).parts['rights'] === 'bad');

    expect((await checked('--only=rights')).said).toContain('the manager may not list pods');
    await stage.kubectl('-n', 'kuik-system', 'delete', 'pod', 'kube-image-keeper-manager-0', '--force');
  });

  test('hides what somebody may not see, and does not count it: exit 0', async () => {
    const nobody = await userWith(stage, 'nobody', [{ apiGroups: [''], resources: ['pods'], verbs: ['create'] }]);

    const { code, output } = await kuikAs(nobody, 'check', '--timeout=1s', '-o', 'json');

    const { parts, healthy } = readDocument<Check>('Check', output);
    expect(parts.map(({ part, state }) => `${part} ${state}`)).toEqual(Object.keys(allGood).map((part) => `${part} hidden`));
    expect({ code, healthy }).toEqual({ code: 0, healthy: true });
  });

  test('names a definition that is missing, and how to get it: exit 2', async () => {
    await stage.kubectl('delete', 'crd', 'clusterimagesetavailabilities.kuik.enix.io');

    const { parts, said } = await checked('--only=definitions');

    expect(parts).toEqual({ definitions: 'bad' });
    expect(said).toMatch(/missing: clusterimagesetavailabilities\.kuik\.enix\.io -> kubectl apply --server-side/);
  });

  test('fails where there is no cluster: exit 1', async () => {
    const { code, errors } = await kuikAs('/nowhere', 'check');

    expect(code).toBe(1);
    expect(errors).toContain('/nowhere');
  });

  test('refuses a part that there is not: exit 1', async () => {
    expect(await kuikOn(stage, 'check', '--only=weather')).toMatchObject({ code: 1, errors: expect.stringContaining('Parts are definitions, webhook') });
  });

  test('says before an installation whether the cluster is fit', async () => {
    const { code, parts } = await checked('--pre');

    expect({ code, parts }).toEqual({ code: 0, parts: { kubernetes: 'good', rights: 'good', names: 'good', storage: 'hidden' } });
  });
});
