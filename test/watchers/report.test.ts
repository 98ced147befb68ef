import { describe, expect, test } from '@jest/globals';
import { translateRule } from '../../src/api/translate.js';
import type { MirrorStatus } from '../../src/api/v1alpha1/mirror.js';
import { knownImageRef } from '../../src/domain/image-ref.js';
import { planMirrors } from '../../src/domain/mirror.js';
import type { ImageRecord } from '../../src/domain/record.js';
import type { MirrorRule } from '../../src/domain/rule.js';
import type { ClusterEvent } from '../../src/cluster/cluster.js';
import type { Picture } from '../../src/watchers/reconcile.js';
import { reportRules, type ReportDeps } from '../../src/watchers/report.js';
import { aCopy, aMirrorRule, aPod, aRecord } from '../support/builders.js';

test('replica rules of the same name in two namespaces count the Pods of their own namespace only', async () => {
  const rule = (namespace: string) =>
    translateRule(
      { kind: 'ReplicatedImageSet', namespace, name: 'same', uid: namespace, generation: 1, spec: { upstreams: [] } },
      { installNamespace: 'kuik-system' },
    );
  const sent = { 'kuik.enix.io/rewritten-by': '{"web":"ReplicatedImageSet/same"}' };
  const pods = ['shop', 'shop', 'blog'].map((namespace, index) => aPod({ namespace, name: `web-${index}`, annotations: sent }));
  const rerouted = new Map<string | undefined, unknown>();

  await reportRules(
    { used: [], rules: [rule('shop'), rule('blog')], records: [], plan: { wanted: new Map(), collisions: [] }, tracked: [], now: 0 },
    {
      cluster: { applyRuleStatus: async ({ namespace }, status) => void rerouted.set(namespace, (status as { counts: { rerouted: number } }).counts.rerouted), emitEvent: async () => undefined },
      resource: () => undefined,
      pods: () => pods,
      secrets: { problemsOf: async () => [] },
      registries: { look: () => ({ isDone: true, silent: [] }) },
      temporalConnected: () => true,
      paceOf: () => ({ intervalMs: 3_600_000, maxPerInterval: 6 }),
      isConnected: false,
    },
  );

  expect(rerouted).toEqual(new Map([['shop', 2], ['blog', 1]]));
});

/** What a report is made of where nothing is wrong. */
const allIsWell: Omit<ReportDeps, 'cluster'> = {
  resource: () => undefined,
  pods: () => [],
  secrets: { problemsOf: async () => [] },
  registries: { look: () => ({ isDone: true, silent: [] }) },
  temporalConnected: () => true,
  paceOf: () => ({ intervalMs: 3_600_000, maxPerInterval: 6 }),
  isConnected: false,
};

describe('upstreams that an image in use does not fit', () => {
  const thanos = { kind: 'ClusterReplicatedImageSet', name: 'thanos', uid: 'u', generation: 1 } as const;
  const upstream = (registry: string, path: string) => ({ registry, path, imageFilter: { include: ['.*'] } });
  const rule = translateRule({ ...thanos, spec: { upstreams: [upstream('docker.io', '/thanos'), upstream('quay.io', '/thanos/thanos')] } }, { installNamespace: 'kuik-system' });

  /** `UpstreamsValid`, with one Pod that uses each of these images. */
  async function valid(...images: string[]): Promise<unknown> {
    const used = images.map((image) => ({ ref: knownImageRef(image), users: [aPod()], pods: 1, original: false }));
    let found: unknown;
    await reportRules(
      { used, rules: [rule], records: [], plan: { wanted: new Map(), collisions: [] }, tracked: [], now: 0 },
      {
        cluster: { applyRuleStatus: async (_rule, status) => void (found = (status as MirrorStatus).conditions?.find(({ type }) => type === 'UpstreamsValid')), emitEvent: async () => undefined },
        ...allIsWell,
      },
    );
    return found;
  }

  test('are told of on the rule, in the same words whatever came first', async () => {
    const misfit = await valid('prom/prometheus:v3', 'thanos/thanos:v1', 'nginx:1.27');

    expect(misfit).toMatchObject({
      status: 'False',
      reason: 'InvalidUpstream',
      message: 'docker.io/library/nginx:1.27 does not start with registry and path of its upstream, docker.io/thanos; docker.io/prom/prometheus:v3 does not start with registry and path of its upstream, docker.io/thanos',
    });
    expect(await valid('nginx:1.27', 'prom/prometheus:v3')).toEqual(misfit);
  });

  test('are none where every image fits', async () => {
    expect(await valid('thanos/thanos:v1')).toMatchObject({ status: 'True' });
  });
});

describe('what a rule says', () => {
  const rule = aMirrorRule({ mirrors: [{ credentialSecret: { namespace: 'kuik-system', name: 'push' } }] });
  const picture: Picture = { used: [], rules: [rule], records: [], plan: { wanted: new Map(), collisions: [] }, tracked: [], now: 0 };
  const missing = [{ secret: { namespace: 'kuik-system', name: 'push' }, problem: 'missing' as const }];

  /** One report, with everything well unless said. @returns `Ready` and the events */
  async function reported(some: Partial<ReportDeps>): Promise<{ ready: string; events: ClusterEvent[] }> {
    const events: ClusterEvent[] = [];
    let ready = '';
    await reportRules(picture, {
      cluster: {
        applyRuleStatus: async (_rule, status) => {
          const found = (status as MirrorStatus).conditions?.find(({ type }) => type === 'Ready');
          ready = `${found?.status} ${found?.reason}`;
        },
        emitEvent: async (event) => void events.push(event),
      },
      ...allIsWell,
      ...some,
    });
    return { ready, events };
  }

  test('it says nothing while what v2 wrote is taken over: a status without it would be a lie, and the last of it', async () => {
    expect((await reported({ takeover: { look: async () => true } })).ready).toBe('');
    expect((await reported({ takeover: { look: async () => false } })).ready).toBe('True InForce');
  });

  test.each<[string, Partial<ReportDeps>, string]>([
    ['it is ready when all is well', {}, 'True InForce'],
    ['it is not known to be ready while a registry is asked', { registries: { look: () => ({ isDone: false, silent: [] }) } }, 'Unknown Pending'],
    ['it is not ready while a registry is silent', { registries: { look: () => ({ isDone: true, silent: [{ code: 'tls', side: 'destination', message: 'certificate refused' }] }) } }, 'False TLSFailed'],
    ['it is not ready without its Secret', { secrets: { problemsOf: async () => missing } }, 'False CredentialMissing'],
  ])('%s', async (_sentence, some, expected) => {
    expect((await reported(some)).ready).toBe(expected);
  });

  test('a missing Secret is told once, as an event on the rule', async () => {
    const { events } = await reported({ secrets: { problemsOf: async () => missing } });
    expect(events).toEqual([
      { regarding: { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', name: 'main', uid: rule.id.uid }, type: 'Warning', action: 'ReconcileSkipped', reason: 'CredentialMissing', note: 'secret kuik-system/push not found' },
    ]);

    const known = { conditions: [{ type: 'Ready', status: 'False', reason: 'CredentialMissing' }] };
    expect((await reported({ resource: () => ({ status: known }), secrets: { problemsOf: async () => missing } })).events).toEqual([]);
  });

  test('what another leader found ready of this generation is not asked again', async () => {
    const asked: boolean[] = [];
    const look: ReportDeps['registries']['look'] = (_rule, wasReady) => (asked.push(wasReady), { isDone: true, silent: [] });
    for (const observedGeneration of [0, 1]) {
      await reported({ registries: { look }, resource: () => ({ status: { conditions: [{ type: 'Ready', status: 'True', reason: 'InForce', observedGeneration }] } }) });
    }

    expect(asked).toEqual([false, true]);
  });
});

describe('copies that a rule let go while their image is in use', () => {
  const at = 'registry.example.com/mirror/library/nginx:1.27';
  const retained = [aRecord({ places: [aCopy(at, { rule: 'ClusterImageSetMirror/main', retention: '48h' })] })];
  const cleanup = { enabled: true, retentionMs: 48 * 3_600_000 };
  const narrowed = aMirrorRule({ images: { include: [/quay.*/] }, mirrors: [{ cleanup }] });
  const moved = aMirrorRule({ mirrors: [{ registry: 'other.example.com', cleanup }] });

  test('are unused from then on, and announced, where the filter selects the image no more', async () => {
    const { counts, matchingImages, pendingDeletion } = await statusOf(narrowed, retained, { now: Date.parse('2026-11-20T12:00:00Z') });

    expect(counts).toMatchObject({ images: 1, unused: 1 });
    expect(matchingImages).toMatchObject([{ unusedSince: '2026-11-20T12:00:00Z', mirrors: [{ image: at }] }]);
    expect(pendingDeletion).toEqual([{ image: at, at: '2026-11-22T12:00:00Z' }]);
  });

  test('are listed beside those that are wanted, where their mirror was taken out', async () => {
    const { counts, matchingImages, pendingDeletion } = await statusOf(moved, retained, { now: Date.parse('2026-11-20T12:00:00Z') });

    expect(counts).toMatchObject({ images: 1, unused: 0, pending: 1 });
    expect(matchingImages?.[0]?.mirrors?.map(({ image }) => image)).toEqual(['other.example.com/mirror/library/nginx:1.27', at]);
    expect(pendingDeletion).toEqual([{ image: at, at: '2026-11-22T12:00:00Z' }]);
  });

  test.each([['narrowed', narrowed], ['without the mirror', moved]])('keep their time while the rule stays as it is, %s', async (_what, rule) => {
    const first = await statusOf(rule, retained, { now: Date.parse('2026-11-20T12:00:00Z') });
    const later = await statusOf(rule, retained, { now: Date.parse('2026-11-21T12:00:00Z'), previous: first });

    expect(later.pendingDeletion).toEqual(first.pendingDeletion);
    expect(later.matchingImages).toEqual(first.matchingImages);
  });

  test('are not announced while Pods pull from them', async () => {
    const { pendingDeletion, counts } = await statusOf(narrowed, retained, { pulling: 1 });

    expect([pendingDeletion, counts?.unused]).toEqual([[], 0]);
  });
});

interface Around {
  readonly rules?: readonly MirrorRule[];
  readonly images?: readonly string[];
  /** Pods that pull from each copy */
  readonly pulling?: number;
  readonly previous?: MirrorStatus;
  readonly now?: number;
}

/** The status of one rule, while a Pod uses the images. */
async function statusOf(rule: MirrorRule, records: readonly ImageRecord[], { rules = [rule], images = ['nginx:1.27'], pulling = 0, previous, now = 0 }: Around = {}): Promise<MirrorStatus> {
  const used = images.map((image) => ({ ref: knownImageRef(image), users: [aPod()], pods: 1, original: false }));
  const plan = planMirrors({ used, rules, records, podsPulling: () => pulling, pulled: [], settings: { platforms: [{ architecture: 'amd64' }], retentionMs: 1000 } });
  const statuses = new Map<string, MirrorStatus>();
  await reportRules(
    { used, rules, records, plan, tracked: [], now },
    {
      cluster: { applyRuleStatus: async ({ name }, status) => void statuses.set(name, status), emitEvent: async () => undefined },
      resource: ({ id }) => (id.name === rule.id.name ? { status: previous } : undefined),
      pods: () => [],
      secrets: { problemsOf: async () => [] },
      registries: { look: () => ({ isDone: true, silent: [] }) },
      temporalConnected: () => true,
      paceOf: () => ({ intervalMs: 3_600_000, maxPerInterval: 6 }),
      isConnected: false,
    },
  );
  return statuses.get(rule.id.name) ?? previous ?? {};
}

describe('a rule whose images want one destination', () => {
  const at = 'registry.example.com/mirror/library/nginx:1.27';
  const refused = 'quay.io/library/nginx:1.27';
  const images = ['nginx:1.27', refused];
  const records = [aRecord({ places: [aCopy(at, { rule: 'ClusterImageSetMirror/main' })] }), aRecord({ image: refused })];

  test('counts the one that is refused as failed, and says why', async () => {
    const { counts, matchingImages, conditions } = await statusOf(aMirrorRule(), records, { images });

    expect(counts).toMatchObject({ images: 2, mirrored: 1, failed: 1 });
    expect(matchingImages?.[0]).toEqual({ image: refused, mirrors: [{ image: at, lastError: `${at} belongs to docker.io/library/nginx:1.27; layout: host keeps them apart` }] });
    expect(conditions?.filter(({ status }) => status === 'False').map(({ type, reason }) => `${type} ${reason}`)).toEqual(['DestinationInSync CopiesFailing', 'PathsUnique Collision']);
  });

  test.each([
    ['selects only one of them', aMirrorRule({ name: 'other', images: { include: [/docker.*/] } })],
    ['is suspended', aMirrorRule({ name: 'other', suspended: true })],
    ['sees none of their Pods', aMirrorRule({ name: 'other', kind: 'ImageSetMirror', namespace: 'elsewhere' })],
  ])('and none that %s', async (_sentence, other) => {
    const { counts, conditions } = await statusOf(other, records, { images, rules: [aMirrorRule(), other] });

    expect(counts?.failed).toBe(0);
    expect(conditions?.find(({ type }) => type === 'PathsUnique')?.status).toBe('True');
  });
});

test('an image that has no name in a mirror, for its length, is counted as failed, and told of with what it would join to', async () => {
  const long = `quay.io/team/${'a'.repeat(90)}/${'b'.repeat(90)}/app:1`;
  const deep = aMirrorRule({ mirrors: [{ registry: 'registry.example.com', path: `/${'deep/'.repeat(20)}` }] });

  const { counts, matchingImages, conditions } = await statusOf(deep, [], { images: ['nginx:1.27', long] });

  expect(counts).toMatchObject({ images: 2, failed: 1, pending: 1 });
  expect(conditions?.find(({ type }) => type === 'DestinationInSync')).toMatchObject({ status: 'False', reason: 'CopiesFailing' });
  expect(matchingImages?.[0]).toMatchObject({ image: long, mirrors: [{ lastError: expect.stringContaining('registry and path join to') }] });
});
