import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stage } from '../../tools/demo/stage.js';

interface Right {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** Somebody with these rights in the whole cluster, and no others. @returns path of a kubeconfig */
export async function userWith(stage: Stage, name: string, rules: readonly Right[]): Promise<string> {
  const rbac = 'rbac.authorization.k8s.io';
  const items = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'default' } },
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name }, rules },
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata: { name }, roleRef: { apiGroup: rbac, kind: 'ClusterRole', name }, subjects: [{ kind: 'ServiceAccount', name, namespace: 'default' }] },
  ];
  await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const token = (await stage.kubectl('create', 'token', name, '--namespace=default', '--duration=1h')).trim();
  const config = JSON.parse(await readFile(stage.api.kubeconfig, 'utf8')) as object;
  const file = join(stage.dir, `kubeconfig-${name}`);
  await writeFile(file, JSON.stringify({ ...config, users: [{ name: 'admin', user: { token } }] }), { mode: 0o600 });
  return file;
}
