/** `kuik bundle` on a cluster full of canaries: a secret in every place where one may stand. None of them may be found in the archive. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder } from '../../tools/servers.js';
import { pretendPod, startKubelet, type Kubelet } from '../support/kubelet.js';
import type { Ended } from '../support/kuik.js';
import { applyQuickstart } from '../support/stage.js';
import { userWith } from '../support/users.js';

let stage: Stage;
let kubelet: Kubelet;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('bundle') });
  kubelet = await startKubelet(stage, {}, { 'kuik-system/manager-0/manager': 'listening\ntoken=canary-log https://me:canary-url@registry.example.com/v2/\nAuthorization: Bearer canary-bearer\n2026-11-28T10:00:00.123456789Z {"level":"info","password":"a, canary-json-line"}\n' });
  await pretendPod(stage, { namespace: 'kuik-system', name: 'manager-0', component: 'manager', ports: { metrics: 8080 } });
  await applyQuickstart(stage);
  const data = { 'config.yaml': 'temporal:\n  apiKey: canary-config\n  password: |\n    correct canary-block\n', 'other.json': '{"password":"a, canary-json"}', 'settings.ini': '[db]\npassword = a; canary-ini\n' };
  const items = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kube-image-keeper-manager-config', namespace: 'kuik-system' }, data },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'push', namespace: 'kuik-system' }, stringData: { password: 'canary-secret' } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'kube-image-keeper-manager', namespace: 'kuik-system' }, spec: { replicas: 0, selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'manager', image: 'kuik:1', args: ['--token=canary-argument', '--password', 'canary-next'], env: [{ name: 'SQL_PASSWORD', value: 'canary-env' }, { name: 'S3_SECRET_KEY', value: 'canary-key' }] }] } } } },
    { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'careless', annotations: { 'example.com/push-token': 'canary-annotation' } }, spec: { filter: { include: [{ image: 'nothing' }] }, mirrors: [{ registry: 'me:canary-registry@r.example.com', path: '/x', credentialSecret: { name: 'push', namespace: 'kuik-system' } }] } },
  ];
  await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
});
afterAll(async () => {
  await stage?.close();
  await kubelet?.close();
});

/** In a folder of its own. */
function kuik(dir: string, kubeconfig: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(join(projectRoot(), 'bin', 'kuik'), [...args, '--kubeconfig', kubeconfig], { cwd: dir }, (error, output, errors) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, output, errors }));
  });
}

const folder = (): string => mkdtempSync(join(tmpdir(), 'kuik-bundle-'));

describe('kuik bundle', () => {
  test('lists what is in it, writes it for its owner only, and holds no secret: exit 0', async () => {
    const dir = folder();

    const { code, output, errors } = await kuik(dir, stage.api.kubeconfig, 'bundle', '--yes', '--output-file', 'b.tar.gz');

    expect(output).toBe('b.tar.gz\n');
    expect(code).toBe(0);
    expect(statSync(join(dir, 'b.tar.gz')).mode & 0o777).toBe(0o600);
    execFileSync('tar', ['-xzf', 'b.tar.gz'], { cwd: dir });
    const files = readdirSync(join(dir, 'b'), { recursive: true, encoding: 'utf8' }).filter((file) => statSync(join(dir, 'b', file)).isFile());
    expect(files).toEqual(expect.arrayContaining(['version.txt', 'status.yaml', 'resources/clusterimagesetmirrors.yaml', 'installation/pods.yaml', 'installation/deployments.yaml', 'installation/configmaps.yaml', 'installation/leases.yaml', 'logs/manager-0/manager.log']));
    for (const file of files) {
      expect(errors).toContain(file);
      expect(`${file}: ${readFileSync(join(dir, 'b', file), 'utf8')}`).not.toMatch(/canary/);
    }
    // what is not secret is there
    expect(readFileSync(join(dir, 'b', 'logs/manager-0/manager.log'), 'utf8')).toContain('listening\n');
    expect(readFileSync(join(dir, 'b', 'resources/clusterimagesetmirrors.yaml'), 'utf8')).toMatch(/credentialSecret:\n +name: push\n/);
  });

  test('without a terminal and without --yes lists, and writes nothing: exit 1', async () => {
    const dir = folder();

    const { code, errors } = await kuik(dir, stage.api.kubeconfig, 'bundle');

    expect(errors).toMatch(/^FILE +SIZE\nversion\.txt /);
    expect(errors).toMatch(/nothing was written; add --yes/);
    expect(code).toBe(1);
    expect(readdirSync(dir)).toEqual([]);
  });

  test('--dry-run lists, and writes nothing: exit 0', async () => {
    const dir = folder();

    expect((await kuik(dir, stage.api.kubeconfig, 'bundle', '--dry-run', '--yes')).code).toBe(0);
    expect(readdirSync(dir)).toEqual([]);
  });

  test('of somebody who may not read everything names in it what is missing', async () => {
    const dir = folder();
    const reader = await userWith(stage, 'bundler', [{ apiGroups: ['kuik.enix.io'], resources: ['*'], verbs: ['get', 'list'] }]);

    const { code } = await kuik(dir, reader, 'bundle', '--yes', '--output-file', 'b.tgz');

    expect(code).toBe(0);
    execFileSync('tar', ['-xzf', 'b.tgz'], { cwd: dir });
    expect(readFileSync(join(dir, 'b', 'missing.txt'), 'utf8')).toMatch(/^installation\/pods\.yaml: not allowed to list pods/m);
    expect(existsSync(join(dir, 'b', 'resources/clusterimagesetmirrors.yaml'))).toBe(true);
  });

  test('of somebody who may read Pods only is made all the same, without the status', async () => {
    const dir = folder();
    const reader = await userWith(stage, 'pod-reader', [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }]);

    const { code } = await kuik(dir, reader, 'bundle', '--yes', '--output-file', 'b.tgz');

    expect(code).toBe(0);
    execFileSync('tar', ['-xzf', 'b.tgz'], { cwd: dir });
    expect(readFileSync(join(dir, 'b', 'missing.txt'), 'utf8')).toMatch(/^status\.yaml: not allowed to list /m);
    expect(existsSync(join(dir, 'b', 'installation/pods.yaml'))).toBe(true);
  });

  test('of a cluster there is no way to is none: exit 1', async () => {
    const dir = folder();
    const away = join(dir, 'kubeconfig');
    writeFileSync(away, readFileSync(stage.api.kubeconfig, 'utf8').replace(stage.api.url, 'https://127.0.0.1:1'));

    const { code, errors } = await kuik(dir, away, 'bundle', '--yes', '--output-file', 'b.tgz');

    expect(errors).toMatch(/^kuik bundle: .*; check it with kubectl cluster-info/);
    expect(code).toBe(1);
    expect(existsSync(join(dir, 'b.tgz'))).toBe(false);
  });
});
