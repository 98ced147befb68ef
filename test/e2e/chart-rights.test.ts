/** kuik with the rights that the chart gives it, and nothing else: it works, it can be checked, and it goes in good order. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder, toolOutput, type ApiServer } from '../../tools/servers.js';
import { render, type Rendered } from '../chart/helm.js';
import { kuikOn } from '../support/kuik.js';
import { applyMirrorRule, createPod, push, until, untilMirrored } from '../support/stage.js';

const rightsKinds = ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'];

/** Outside a cluster the webhook registers itself: that is not in the chart. */
const registersItself = [
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'registers-itself' }, rules: [{ apiGroups: ['admissionregistration.k8s.io'], resources: ['mutatingwebhookconfigurations'], verbs: ['get', 'create', 'patch'] }] },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'registers-itself' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'registers-itself' }, subjects: [{ kind: 'ServiceAccount', name: 'kube-image-keeper-webhook', namespace: 'kuik-system' }] },
];

let stage: Stage;
let rights: readonly Rendered[];
beforeAll(async () => {
  rights = (await render({})).filter(({ kind }) => rightsKinds.includes(kind));
  stage = await Stage.open({ dir: scratchFolder('rights'), processes: 'two', account });
}, 300_000);
afterAll(() => stage?.close());

/** @returns a kubeconfig of the chart's ServiceAccount */
async function account(role: string, api: ApiServer): Promise<string> {
  const kubectl = (...args: string[]): Promise<string> => toolOutput('kubectl', [`--kubeconfig=${api.kubeconfig}`, ...args]);
  await toolOutput('kubectl', [`--kubeconfig=${api.kubeconfig}`, 'apply', '--server-side', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...rights, ...registersItself] }) });
  const token = await kubectl('create', 'token', `kube-image-keeper-${role}`, '--namespace=kuik-system', '--duration=1h');
  const config = JSON.parse(await readFile(api.kubeconfig, 'utf8')) as object;
  const file = join(api.dir, `kubeconfig-${role}`);
  await writeFile(file, JSON.stringify({ ...config, users: [{ name: 'admin', user: { token } }] }), { mode: 0o600 });
  return file;
}

async function finalizersOf(rule: string): Promise<string> {
  return stage.kubectl('get', 'cism', rule, '-o', 'jsonpath={.metadata.finalizers}');
}

test('a Pod is routed, its image is copied, and the copy is taken when the source is gone', async () => {
  await applyMirrorRule(stage, 'kept', { cleanup: { enabled: true } });
  await push(stage, 'web:1.0');
  expect(await createPod(stage, 'first', stage.image())).toEqual({ image: stage.image(), reason: 'OriginAvailable' });
  await untilMirrored(stage, stage.image());

  await stage.source.stop();
  await new Promise((resolve) => setTimeout(resolve, 1_500)); // facts live one second here
  expect(await createPod(stage, 'second', stage.image())).toEqual({ image: stage.copyOf(), reason: 'OriginUnavailable' });
  await until('the event on the Pod', async () => (await stage.kubectl('get', 'events')).includes('OriginUnavailable'));
});

test('kuik check says that the webhook answers', async () => {
  expect(await kuikOn(stage, 'check', '--only=webhook')).toEqual({ code: 0, output: expect.stringMatching(/^webhook +good +a Pod in kuik-system comes back routed$/m), errors: '' });
});

test('kuik check says that it does not, where a namespace opted out', async () => {
  await stage.kubectl('create', 'namespace', 'quiet');
  await stage.kubectl('label', 'namespace', 'quiet', 'kuik.enix.io/ignore=true');

  const { code, output } = await kuikOn(stage, 'check', '--only=webhook', '-n', 'quiet', '--timeout=1s');

  expect(code).toBe(2);
  expect(output).toContain('came back without kuik.enix.io/reason');
});

test('neither process ever asked for what it may not', async () => {
  const logs = await Promise.all(['webhook', 'manager'].map((role) => readFile(join(stage.dir, `kuik-${role}.log`), 'utf8')));

  expect(logs.join('').split('\n').filter((line) => line.includes('not allowed to'))).toEqual([]);
});

test('kuik uninstall leaves no registration and no finalizer, although the manager still runs', async () => {
  await until('the rule to be held', async () => (await finalizersOf('kept')).includes('kuik.enix.io/mirror-cleanup'));
  await stage.kuik.stop();

  expect(await kuikOn(stage, 'uninstall')).toMatchObject({ code: 1, errors: expect.stringContaining('--yes') });
  expect(await kuikOn(stage, 'uninstall', '--dry-run=client')).toMatchObject({ code: 0, output: expect.stringContaining('finalizers from 1 rules') });
  expect(await kuikOn(stage, 'uninstall', '--yes')).toMatchObject({ code: 0, errors: '' });

  expect(await stage.kubectl('get', 'mutatingwebhookconfigurations', '-o', 'name')).toBe('');
  expect(await finalizersOf('kept')).toBe('');
  expect(await kuikOn(stage, 'check', '--only=webhook', '--timeout=1s')).toMatchObject({ code: 2, output: expect.stringContaining('is not registered') });
  await stage.kubectl('delete', 'cism', 'kept', '--timeout=20s');
  expect(await kuikOn(stage, 'uninstall', '--yes')).toMatchObject({ code: 0, output: expect.stringContaining('absent') });
});
