/** The roles of the chart against what the code asks for, both ways: nothing is missing, and nothing is too much. */
import { expect, test } from '@jest/globals';
import { kinds } from '../../src/api/v1alpha1/kinds.js';
import { render, theOne, type Rendered } from './helm.js';
import { gather, neededBy, type Right, type Scope } from '../../src/commands/rights.js';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const all = { mirroring: { nodePlatforms: true }, retention: { workloads: true } };

test.each([
  ['the manager', 'manager', {}, {}],
  ['the manager that looks at nodes and workloads', 'manager', all, { nodes: true, workloads: true } as const],
  ['the webhook', 'webhook', {}, {}],
  ['the manager that is asked who reads its metrics', 'manager', {}, { secureMetrics: true } as const],
  ['the manager that leaves definitions alone', 'manager', {}, { keepsDefinitions: true } as const],
  ['the webhook that is asked who reads its metrics', 'webhook', {}, { secureMetrics: true } as const],
] as const)('%s may do what it does and nothing else', async (_sentence, process, configuration, options) => {
  const granted = grantedTo(process, await render({ values: { configuration, metrics: { secure: 'secureMetrics' in options }, crds: { upgrade: !('keepsDefinitions' in options) } } }));

  expect(sorted(granted)).toEqual(sorted(neededBy(process, options)));
});

test('one process may do what both may', async () => {
  const granted = grantedTo('manager', await render({ files: ['values-demo.yaml'] }));

  for (const [scope, rights] of neededBy('webhook')) expect([...(granted.get(scope) ?? [])]).toEqual(expect.arrayContaining([...rights]));
});

test('named namespaces are the only ones whose Secrets are reached, beside our own', async () => {
  const objects = await render({ values: { rbac: { secretNamespaces: ['shop', 'kuik-system'] } } });
  const roles = objects.filter(({ kind, ...role }) => /Role$/.test(kind) && JSON.stringify(role['rules']).includes('"secrets"'));

  expect(roles.map(({ kind, metadata }) => `${kind} ${metadata.namespace}`).sort()).toEqual(['Role kuik-system', 'Role kuik-system', 'Role shop']);
  expect(theOne(objects, 'RoleBinding/kube-image-keeper-secrets')['subjects']).toEqual(['manager', 'webhook'].map((part) => ({ kind: 'ServiceAccount', name: `kube-image-keeper-${part}`, namespace: 'kuik-system' })));
});

test('nobody lists or watches Secrets, and nobody has a wildcard', async () => {
  const rules = (await render({ values: { configuration: all } })).flatMap((role) => (role['rules'] as readonly Rule[] | undefined) ?? []).filter(({ verbs }) => verbs !== undefined);

  expect(rules.filter(({ resources, verbs }) => resources.includes('secrets') && verbs.some((verb) => !['get', 'create', 'patch', 'delete'].includes(verb)))).toEqual([]);
  expect(JSON.stringify(rules)).not.toContain('*');
});

/** By following the bindings of its ServiceAccount. */
function grantedTo(process: string, objects: readonly Rendered[]): ReadonlyMap<Scope, ReadonlySet<Right>> {
  const bindings = objects.filter(({ kind, ...binding }) => /RoleBinding$/.test(kind) && (binding['subjects'] as { name: string }[]).some(({ name }) => name === `kube-image-keeper-${process}`));
  return gather(
    bindings.flatMap((binding) => {
      const { kind, name } = binding['roleRef'] as { kind: string; name: string };
      const rules = theOne(objects, `${kind}/${name}`)['rules'] as readonly Rule[];
      return rules.map((rule) => [scopeOf(binding, rule), rightsOf(rule)] as const);
    }),
  );
}

function scopeOf({ kind }: Rendered, { resources, resourceNames }: Rule): Scope {
  if (resourceNames !== undefined) return resourceNames[0] === 'kube-image-keeper-mutating-webhook' ? 'webhook' : isOurKinds(resourceNames) ? 'definitions' : 'cluster';
  if (resources.includes('secrets')) return 'secrets';
  return kind === 'ClusterRoleBinding' ? 'cluster' : 'install';
}

/** All of them and no other. */
function isOurKinds(names: readonly string[]): boolean {
  return JSON.stringify([...names].sort()) === JSON.stringify(kinds.map(({ plural }) => `${plural}.kuik.enix.io`).sort());
}

function rightsOf({ apiGroups, resources, verbs }: Rule): readonly Right[] {
  return apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${withGroup(resource, group)}`)));
}

/** `imageavailabilities/status` of a group is `imageavailabilities.kuik.enix.io/status`. */
function withGroup(resource: string, group: string): string {
  const [plural = '', ...sub] = resource.split('/');
  return [group === '' ? plural : `${plural}.${group}`, ...sub].join('/');
}

function sorted(rights: ReadonlyMap<Scope, ReadonlySet<Right>>): Record<string, readonly Right[]> {
  return Object.fromEntries([...rights].sort().map(([scope, each]) => [scope, [...each].sort()]));
}
