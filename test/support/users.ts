import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stage } from '../../tools/demo/stage.js';

/** What is needed of a stage: an API server, and a folder for kubeconfigs. */
type Place = Pick<Stage, 'api' | 'dir' | 'apply' | 'kubectl'>;

interface Right {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const rbac = 'rbac.authorization.k8s.io';

/** Somebody with these rights in the whole cluster, and no others. @returns path of a kubeconfig */
export async function userWith(stage: Place, name: string, rules: readonly Right[]): Promise<string> {
  const items = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'default' } },
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name }, rules },
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata: { name }, roleRef: { apiGroup: rbac, kind: 'ClusterRole', name }, subjects: [{ kind: 'ServiceAccount', name, namespace: 'default' }] },
  ];
  await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  return kubeconfigOf(stage, name);
}

/**
 * Somebody who may read one namespace, as the role `view` bound in it lets them, and what else is said of the cluster.
 *
 * @returns path of a kubeconfig, whose context is that namespace
 */
export async function viewerOf(stage: Place, namespace: string, name: string, rules: readonly Right[] = []): Promise<string> {
  // no controller fills `view` from these here
  const ours = { apiGroups: ['kuik.enix.io'], resources: ['*'], verbs: ['get', 'list', 'watch'] };
  const viewers = [{ kind: 'ClusterRole', name: 'system:aggregate-to-view' }, { kind: 'Role', name }];
  const items = [
    { apiVersion: `${rbac}/v1`, kind: 'Role', metadata: { name, namespace }, rules: [ours] },
    ...viewers.map((role) => ({ apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata: { name: `${name}-${role.kind.toLowerCase()}`, namespace }, roleRef: { apiGroup: rbac, ...role }, subjects: [{ kind: 'ServiceAccount', name, namespace: 'default' }] })),
  ];
  await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  return inNamespace(await userWith(stage, name, rules), namespace);
}

async function inNamespace(file: string, namespace: string): Promise<string> {
  const config = JSON.parse(await readFile(file, 'utf8')) as { contexts: readonly { name: string; context: object }[] };
  await writeFile(file, JSON.stringify({ ...config, contexts: config.contexts.map(({ name, context }) => ({ name, context: { ...context, namespace } })) }));
  return file;
}

async function kubeconfigOf(stage: Place, name: string): Promise<string> {
  const token = (await stage.kubectl('create', 'token', name, '--namespace=default', '--duration=1h')).trim();
  const config = JSON.parse(await readFile(stage.api.kubeconfig, 'utf8')) as object;
  const file = join(stage.dir, `kubeconfig-${name}`);
  await writeFile(file, JSON.stringify({ ...config, users: [{ name: 'admin', user: { token } }] }), { mode: 0o600 });
  return file;
}
