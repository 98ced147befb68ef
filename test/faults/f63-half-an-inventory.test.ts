import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { createGuardActivities } from '../../src/activities/guard.js';
import { connectCluster, type KubernetesCluster } from '../../src/cluster/kubernetes/client.js';
import { loadKubeConfig } from '../../src/cluster/kubernetes/kubeconfig.js';
import { emptyLedger } from '../../src/domain/budget.js';
import type { ImageName, PlaceId } from '../../src/domain/image-ref.js';
import type { KeeperStatus } from '../../src/domain/keeper-story.js';
import { freshPicture, shareLooks } from '../../src/watchers/fresh.js';
import { unsteadyWatch } from '../../src/watchers/steady.js';
import { startApiServer, toolOutput, type ApiServer } from '../../tools/servers.js';
import { installKinds } from '../cluster/kubernetes-bench.js';
import { startApiFront, type ApiFront, type ListAnswer, type Spoilt } from '../support/api-front.js';
import { aPodObject } from '../support/builders.js';
import { fault } from '../support/fault.js';
import { aClaim } from '../support/keeper.js';
import { startLab, until, usualPace, World, type Lab } from '../support/temporal-lab.js';

const all = ['get', 'list', 'watch'];
const rights = [
  { apiGroups: ['kuik.enix.io'], resources: ['*'], verbs: all },
  { apiGroups: [''], resources: ['namespaces'], verbs: all },
];
const [visible, hidden] = ['a-visible', 'z-hidden']; // a list is sorted by namespace: the hidden Pod comes last
const steadyMs = 10 * 60 * 1000 * usualPace;

let api: ApiServer;
let front: ApiFront;
let cluster: KubernetesCluster;
let lab: Lab;
let world: World;
const end = new AbortController();
let watching: Promise<unknown>;

beforeAll(async () => {
  [api, lab] = await Promise.all([startApiServer(), startLab()]);
  await installKinds(api.kubeconfig);
  front = await startApiFront(api);
  await furnish();
  cluster = connectCluster(managerConfig(), { pageSize: 2, answerMs: 2_000, watch: { baseMs: 20, capMs: 100, awayCapMs: 100, paceMs: 10 } });
  watching = Promise.all([cluster.watch('Pod', () => undefined, end.signal), cluster.watch('Namespace', () => undefined, end.signal)]);
  world = new World();
  const guard = aGuard();
  world.guardOf = () => guard;
  await lab.work('berlin', world);
}, 120_000);

afterAll(async () => {
  end.abort();
  await watching;
  await lab?.stop();
  cluster?.close();
  await front?.close();
  await api?.kill();
});

const apply = (...objects: readonly object[]): Promise<string> => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, 'apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) });
const kubectl = (...args: readonly string[]): Promise<string> => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, ...args]);

/** A rule that cleans up at once, an account that may do what a manager needs, and some Pods that everybody sees. */
async function furnish(): Promise<void> {
  const rule = { filter: { include: [{ image: '.+' }] }, cleanup: { enabled: true, retention: '0s' }, mirrors: [{ registry: 'registry.example.com', path: '/mirror' }] };
  await apply(
    ...[visible, hidden].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'main' }, spec: rule },
    clusterRole('manager', rights),
    clusterRole('pods', [{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }]),
    bound('ClusterRoleBinding', 'manager'),
    bound('ClusterRoleBinding', 'pods'),
    ...['one', 'two', 'three'].map((name) => aPodObject({ namespace: visible, name, images: { web: 'elsewhere.example.com/app:1' } })).map(withoutUid),
  );
}

function clusterRole(name: string, rules: readonly object[]): object {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules };
}

function bound(kind: 'ClusterRoleBinding' | 'RoleBinding', role: string, namespace?: string): object {
  const metadata = { name: role, ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'manager' }] };
}

/** The server chooses. */
function withoutUid(pod: Record<string, unknown>): object {
  return { ...pod, metadata: { ...(pod.metadata as object), uid: undefined } };
}

function managerConfig(): KubeConfig {
  const { token } = loadKubeConfig({ file: api.kubeconfig }).getCurrentUser() ?? {};
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'front', server: front.url, skipTLSVerify: true }, { name: 'manager', token, impersonateUser: 'manager' });
  return config;
}

const room = { result: 'drawn', ledger: emptyLedger } as const;

function aGuard() {
  const settings = { platforms: [], retentionMs: 0, skip: { labels: [], annotations: [], namespaces: [] } };
  return createGuardActivities({
    look: shareLooks(() => freshPicture({ cluster, translate: { installNamespace: 'kuik-system' }, settings, v1ProxyPort: 7439, workloads: false })),
    unsteady: (forMs) => unsteadyWatch(cluster.watchHealth(), Date.now(), forMs),
    budget: { draw: async () => room, room: async () => room },
    now: Date.now,
  });
}

/** How a cluster is only half seen, and how it is seen again. */
interface Blindness {
  readonly begins: () => Promise<unknown> | void;
  readonly ends: () => Promise<unknown> | void;
}

/** From the second page on; the Pod in question is on the last one. */
function later(spoil: (answer: ListAnswer) => Spoilt): Blindness {
  return { begins: () => front.spoil((answer) => (answer.page === 1 ? answer : spoil(answer))), ends: () => front.spoil(undefined) };
}

const refused = (status: number, reason: string) => (): Spoilt => ({ status, body: JSON.stringify({ kind: 'Status', status: 'Failure', code: status, reason, message: reason }) });

interface List {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly { readonly metadata: { readonly namespace: string } }[];
}

/** The list, less something of it. */
function edited(edit: (list: List) => object): (answer: ListAnswer) => Spoilt {
  return ({ status, body }) => ({ status, body: JSON.stringify(edit(JSON.parse(body) as List)) });
}

const ofHidden = ({ items }: List, change: (pod: object) => unknown): unknown[] => items.map((pod) => (pod.metadata.namespace === hidden ? change(pod) : pod));
const cutOff = edited((list) => ({ ...list, metadata: { ...list.metadata, continue: undefined, remainingItemCount: 1 } }));

const blindness: readonly (readonly [string, Blindness])[] = [
  ['no Pod may be listed', { begins: () => kubectl('delete', 'clusterrolebinding', 'pods'), ends: () => apply(bound('ClusterRoleBinding', 'pods')) }],
  [
    'only the Pods of one namespace may be listed',
    { begins: async () => [await apply(bound('RoleBinding', 'pods', visible)), await kubectl('delete', 'clusterrolebinding', 'pods')], ends: () => apply(bound('ClusterRoleBinding', 'pods')) },
  ],
  ['the rest of the list is refused', later(refused(403, 'Forbidden'))],
  ['the rest of the list fails', later(refused(500, 'InternalError'))],
  ['the rest of the list is always forgotten', later(refused(410, 'Expired'))],
  ['the rest of the list is cut in the middle', later(() => 'cut')],
  ['the rest of the list never comes', later(() => 'silence')],
  ['the rest of the list is left out', { begins: () => front.spoil(cutOff), ends: () => front.spoil(undefined) }],
  ['a Pod comes without its name', later(edited((list) => ({ ...list, items: ofHidden(list, () => ({})) })))],
  ['a Pod comes without its containers', later(edited((list) => ({ ...list, items: ofHidden(list, (pod) => ({ ...pod, spec: {} })) })))],
];

interface Copy {
  readonly name: string;
  readonly destination: PlaceId;
}

/** A copy that one hidden Pod pulls from, and nobody claims: somebody's mistake, or a claim that is lost. */
async function pulledAndUnclaimed(name: string): Promise<Copy> {
  const destination = `registry.example.com/mirror/library/${name}:1` as PlaceId;
  await apply(withoutUid(aPodObject({ namespace: hidden, name, images: { web: destination } })));
  await lab.keepers.claim(aClaim({ destination, publishAs: destination as string as ImageName, image: `docker.io/library/${name}:1` as ImageName, retentionMs: 0 }));
  await until(async () => (await lab.status(destination))?.phase === 'Mirrored');
  return { name, destination };
}

const blocked = async ({ destination }: Copy): Promise<KeeperStatus['blocked']> => (await lab.status(destination))?.blocked;
const canList = (): Promise<boolean> =>
  cluster.list('Pod').then(
    () => true,
    () => false,
  );
const isThere = ({ destination }: Copy): boolean => world.tags.has(destination);

describe('a cluster of which only a part can be read', () => {
  fault('F63', 'blocks every deletion, and each becomes what it is once the whole can be read', async ({ chance }) => {
    for (const [index, [how, { begins, ends }]] of [...blindness.entries()].sort(() => chance.next() - 0.5)) {
      const copy = await pulledAndUnclaimed(`app-${index}`);
      await until(async () => unsteadyWatch(cluster.watchHealth(), Date.now(), steadyMs) === undefined);

      await begins();
      await until(async () => !(await canList()));
      await lab.keepers.release(copy.destination, { v: 1, cluster: 'berlin', generation: 2 });
      const why = await until(async () => blocked(copy));
      expect([how, why.reason, isThere(copy)]).toEqual([how, 'incomplete-inventory', true]);

      await ends();
      await until(canList);
      await until(async () => unsteadyWatch(cluster.watchHealth(), Date.now(), steadyMs) === undefined);
      await lab.keepers.retry(copy.destination);
      await until(async () => (await blocked(copy))?.reason === 'in-use');
      expect([how, isThere(copy)]).toEqual([how, true]);

      await kubectl('delete', 'pod', copy.name, '-n', hidden, '--force', '--grace-period=0');
      await lab.keepers.retry(copy.destination);
      await until(async () => !isThere(copy));
    }
    // the server's cache may answer whoever names a version: nobody did
    expect(front.lists.filter((query) => query.has('resourceVersion') || query.has('resourceVersionMatch'))).toEqual([]);
  }, 240_000);

  fault('F63', 'that was stale until now is not believed at once', async () => {
    const copy = await pulledAndUnclaimed('stale');
    front.spoil(refused(500, 'InternalError'));
    const relisting = new AbortController();
    const again = cluster.watch('Pod', () => undefined, relisting.signal);
    await until(async () => cluster.watchHealth().some(({ lastError }) => lastError !== undefined));

    await lab.keepers.release(copy.destination, { v: 1, cluster: 'berlin', generation: 2 });

    await until(async () => (await blocked(copy))?.reason === 'incomplete-inventory');
    expect((await blocked(copy))?.message).toContain('cannot be read');
    expect(isThere(copy)).toBe(true);
    front.spoil(undefined);
    relisting.abort();
    await again;
  });
});
