import { describe, expect, test } from '@jest/globals';
import { reportMirror, type MirroredImage, type MirrorFacts } from '../../src/api/report-mirror.js';
import { reportMonitor, type MonitoredImage, type MonitorFacts } from '../../src/api/report-monitor.js';
import { reportReplica, type ReplicaFacts } from '../../src/api/report-replica.js';
import { translateRule } from '../../src/api/translate.js';
import { ClusterImageSetAvailabilityStatus } from '../../src/api/v1alpha1/cluster-image-set-availability.js';
import { MirrorStatus } from '../../src/api/v1alpha1/mirror.js';
import { ReplicatedStatus } from '../../src/api/v1alpha1/replicated.js';
import type { AvailabilityState } from '../../src/domain/availability.js';
import type { Digest } from '../../src/domain/digest.js';
import type { FailureCode } from '../../src/domain/failure.js';
import { imageName, knownImageRef, placeIdentity, type ImageName } from '../../src/domain/image-ref.js';
import type { PlaceRecord } from '../../src/domain/record.js';
import type { MirrorRule, MonitorRule, ReplicaRule, RuleKind } from '../../src/domain/rule.js';
import { aLargeRule, nameAt, standingAt } from '../support/large-rule.js';

const now = Date.parse('2026-11-20T12:00:00.789Z');
const nowText = '2026-11-20T12:00:00Z';
const earlier = '2026-11-20T10:50:14Z';

const name = (text: string): ImageName => imageName(knownImageRef(text));
const rule = (kind: RuleKind, spec: object) => translateRule({ kind, name: 'main', uid: 'uid', generation: 3, spec }, { installNamespace: 'kuik-system' });
const facts = { secrets: [], silent: [], passDone: true, previous: undefined, now } as const;

const aMirrorRule = (spec: object = {}): MirrorRule => rule('ClusterImageSetMirror', { mirrors: [{ registry: 'r.example.com' }], ...spec }) as MirrorRule;
const mirrorFacts = (more: Partial<MirrorFacts> = {}): MirrorFacts => ({ ...facts, rule: aMirrorRule(), images: [], collisions: [], temporalConnected: true, isConnected: false, ...more });
const replicaFacts = (spec: object, more: Partial<ReplicaFacts> = {}): ReplicaFacts => ({ ...facts, rule: rule('ClusterReplicatedImageSet', spec) as ReplicaRule, images: 0, pods: 0, rerouted: 0, places: [], ...more });
const monitorFacts = (images: readonly MonitoredImage[] = [], more: Partial<MonitorFacts> = {}): MonitorFacts => ({ ...facts, rule: rule('ClusterImageSetAvailability', {}) as MonitorRule, images, ...more });

/** An image with one copy that is there, unless told otherwise. */
function anImage(text: string, place: Partial<PlaceRecord> = {}, more: Partial<MirroredImage> = {}): MirroredImage {
  return { image: name(text), places: [{ reference: name(`r.example.com/${text}`), mirroredAt: earlier, ...place }], ...more };
}

const failure = { code: 'denied', message: 'denied by r.example.com: push', since: earlier, attempts: 2 } as const;

/** `Ready=True/InForce`, in order. */
function told(status: { conditions?: readonly { type: string; status: string; reason: string }[] | undefined }): string[] {
  return (status.conditions ?? []).map(({ type, status, reason }) => `${type}=${status}/${reason}`);
}

describe('what every kind says about its rule', () => {
  const missing = { secret: { namespace: 'kuik-system', name: 'push' }, problem: 'missing' } as const;
  const unusable = { secret: { namespace: 'kuik-system', name: 'odd' }, problem: 'unusable' } as const;
  const denied = { secret: { namespace: 'shop', name: 'push' }, problem: 'denied' } as const;

  test.each<[string, MirrorFacts, string[]]>([
    ['a valid rule is in force', mirrorFacts(), ['Ready=True/InForce']],
    ['a resting rule is ready', mirrorFacts({ rule: aMirrorRule({ suspend: true }) }), ['Ready=True/Suspended']],
    ['before the first pass nothing is claimed', mirrorFacts({ passDone: false }), ['Ready=Unknown/Pending', 'Reconciling=True/Pending']],
    ['a registry that never answered', mirrorFacts({ silent: [{ code: 'timeout', message: 'no answer from r.example.com' }] }), ['Ready=False/Timeout']],
    ['a rule that rests asks nobody', mirrorFacts({ rule: aMirrorRule({ suspend: true }), silent: [{ code: 'timeout', message: 'no answer' }] }), ['Ready=True/Suspended']],
    ['a broken filter needs a human', mirrorFacts({ rule: aMirrorRule({ filter: { include: [{ image: '[' }] } }) }), ['Ready=False/InvalidFilter', 'Stalled=True/InvalidFilter']],
    ['a broken field needs one, even if only a part is out of force', mirrorFacts({ rule: aMirrorRule({ cleanup: { retention: '7d' } }) }), ['Ready=False/InvalidSpec', 'Stalled=True/InvalidSpec']],
    ['a broken rule that rests is broken', mirrorFacts({ rule: aMirrorRule({ suspend: true, cleanup: { retention: '7d' } }) }), ['Ready=False/InvalidSpec', 'Stalled=True/InvalidSpec']],
    ['a missing Secret heals by itself', mirrorFacts({ secrets: [missing] }), ['Ready=False/CredentialMissing']],
    ['a Secret that kuik may not read needs somebody who grants it', mirrorFacts({ secrets: [denied] }), ['Ready=False/Denied']],
    ['a Secret that holds no credentials is never fatal: others may fit', mirrorFacts({ secrets: [unusable] }), ['Ready=True/InForce']],
    ['without Temporal copies wait, the rule is ready', mirrorFacts({ temporalConnected: false }), ['Ready=True/InForce', 'Reconciling=True/TemporalUnavailable']],
  ])('%s', (_sentence, input, expected) => {
    const rest = ['CredentialsValid', 'SourceReachable', 'DestinationReachable', 'DestinationInSync', 'PlatformsComplete', 'PathsUnique', 'DriftFree', 'CleanupHealthy'];

    expect(told(reportMirror(input)).filter((text) => !rest.some((type) => text.startsWith(type)))).toEqual(expected);
  });

  test.each([
    ['names field and next step', mirrorFacts({ rule: aMirrorRule({ cleanup: { retention: '7d' } }) }), 'Ready', /spec\.cleanup\.retention is "7d".*168h/],
    ['names the Secret and the next step', mirrorFacts({ secrets: [missing] }), 'Ready', /secret kuik-system\/push not found; create it/],
    ['names the namespace whose Secrets kuik may not read', mirrorFacts({ secrets: [denied] }), 'Ready', /secret shop\/push may not be read by kuik; add shop to the chart's rbac.secretNamespaces/],
  ])('the message %s', (_sentence, input, type, says) => {
    expect(reportMirror(input).conditions?.find((condition) => condition.type === type)?.message).toMatch(says);
  });

  test.each([
    ['no Secret is named: nothing is said', {}, [], []],
    ['Pods have a Secret of their own', { credentialSecret: { name: 'push' }, pullSecret: { name: 'pull' } }, [], ['CredentialsValid=True/Accepted']],
    ['Pods pull with the credential that pushes', { credentialSecret: { name: 'push' } }, [], ['CredentialsValid=True/PushCredentialShared']],
    ['a Secret is missing', { credentialSecret: { name: 'push' } }, [unusable, missing], ['CredentialsValid=False/CredentialMissing']],
    ['a Secret cannot be used', { credentialSecret: { name: 'push' } }, [unusable], ['CredentialsValid=False/CredentialUnusable']],
    ['a Secret may not be read', { credentialSecret: { name: 'push' } }, [denied], ['CredentialsValid=False/CredentialUnusable']],
  ])('credentials: %s', (_sentence, mirror, secrets, expected) => {
    const status = reportMirror(mirrorFacts({ rule: aMirrorRule({ mirrors: [{ registry: 'r.example.com', ...mirror }] }), secrets }));

    expect(told(status).filter((text) => text.startsWith('CredentialsValid'))).toEqual(expected);
  });

  test('a condition keeps its time while its status is the same, and gets a new one when it changes', () => {
    const first = reportMirror(mirrorFacts({ images: [anImage('a:1')], now: Date.parse(earlier) }));

    const second = reportMirror(mirrorFacts({ images: [anImage('a:1', { mirroredAt: undefined })], rule: aMirrorRule({ suspend: true }), previous: first }));

    const timeOf = (type: string) => second.conditions?.find((condition) => condition.type === type)?.lastTransitionTime;
    expect(timeOf('Ready')).toBe(earlier); // another reason, the same status
    expect(timeOf('DestinationInSync')).toBe(nowText);
  });

  test('the same picture gives the same status', () => {
    const first = reportMirror(mirrorFacts({ images: [anImage('a:1')] }));

    expect(reportMirror(mirrorFacts({ images: [anImage('a:1')], previous: first, now: now + 60_000 }))).toEqual(first);
  });

  test.each([['oops'], [{ conditions: 'oops' }], [{ conditions: [1, { type: 'Ready', status: 'True' }] }]])('a previous status of %j does no harm', (previous) => {
    expect(reportMirror(mirrorFacts({ previous })).conditions?.[0]).toMatchObject({ type: 'Ready', lastTransitionTime: nowText, observedGeneration: 3 });
  });
});

describe('mirrors', () => {
  test.each<[string, Partial<MirrorFacts>, string]>([
    ['every copy is there', { images: [anImage('a:1')] }, 'DestinationInSync=True/InSync'],
    ['nothing is wanted', {}, 'DestinationInSync=True/InSync'],
    ['a copy is still to be made', { images: [anImage('a:1', { mirroredAt: undefined })] }, 'DestinationInSync=False/Pending'],
    ['a copy failed', { images: [anImage('a:1', { mirroredAt: undefined, failure }), anImage('b:1', { mirroredAt: undefined })] }, 'DestinationInSync=False/CopiesFailing'],
    ['the copy of an unused image failed: nobody wants it', { images: [anImage('a:1', { mirroredAt: undefined, failure }, { unusedSince: earlier })] }, 'DestinationInSync=True/InSync'],
    ['a platform is missing', { images: [anImage('a:1', { missingPlatforms: ['linux/arm64'] })] }, 'PlatformsComplete=False/PlatformsMissing'],
    ['two images want one destination', { collisions: [{ image: name('quay.io/library/a:1'), holder: name('a:1'), destination: placeIdentity(knownImageRef('r.example.com/library/a:1')) }] }, 'PathsUnique=False/Collision'],
  ])('%s', (_sentence, more, expected) => {
    expect(told(reportMirror(mirrorFacts(more)))).toContain(expected);
  });

  const fails = (code: FailureCode, side: 'source' | 'destination'): Partial<PlaceRecord> => ({ mirroredAt: undefined, failure: { ...failure, code, side } });
  const cleaning = (mirror: object = {}): MirrorRule => aMirrorRule({ cleanup: { enabled: true }, mirrors: [{ registry: 'r.example.com', ...mirror }] });
  const drift = { origin: `sha256:${'b'.repeat(64)}` as Digest, since: earlier };
  const changed = { destination: `sha256:${'c'.repeat(64)}` as Digest, since: earlier };
  const blocked = { reason: 'in-use', message: 'pod shop/web pulls from it', since: earlier, attempts: 1 } as const;

  test.each<[string, Partial<MirrorFacts>, string[]]>([
    ['nothing fails', { images: [anImage('a:1')] }, ['SourceReachable=True/Reachable', 'DestinationReachable=True/Reachable']],
    ['an origin cannot be read', { images: [anImage('a:1', fails('unreachable', 'source'))] }, ['SourceReachable=False/Unreachable', 'DestinationReachable=True/Reachable']],
    ['the mirror refuses', { images: [anImage('a:1', fails('denied', 'destination'))] }, ['SourceReachable=True/Reachable', 'DestinationReachable=False/Denied']],
    ['the gravest failure of several names the reason', { images: [anImage('a:1', fails('missing', 'source')), anImage('b:1', fails('throttled', 'source')), anImage('c:1', fails('tls', 'destination'))] }, ['SourceReachable=False/RateLimited', 'DestinationReachable=False/TLSFailed']],
    ['an origin is gone, its copy is there', { images: [anImage('a:1', {}, { origin: { reference: name('a:1'), state: 'NotFound' } })] }, ['SourceReachable=False/SourceMissing']],
    ['an origin was not looked at yet', { images: [anImage('a:1', {}, { origin: { reference: name('a:1'), state: 'Scheduled' } })] }, ['SourceReachable=True/Reachable']],
    ['Pods cannot pull their copy', { images: [anImage('a:1', { state: 'InvalidAuth', checkedAt: earlier })] }, ['DestinationReachable=False/Unauthorized']],
    ['a copy is gone, which is made again', { images: [anImage('a:1', { state: 'NotFound', checkedAt: earlier })] }, ['DestinationReachable=True/Reachable']],
    ['a copy has been made since Pods could not pull it', { images: [anImage('a:1', { state: 'Unreachable', checkedAt: '2026-01-01T00:00:00Z', triedAt: earlier })] }, ['DestinationReachable=True/Reachable']],
    ['only an unused image fails', { images: [anImage('a:1', fails('denied', 'destination'), { unusedSince: earlier })] }, ['DestinationReachable=True/Reachable']],
    ['the mirror does not know the Secret of the rule', { rule: aMirrorRule({ mirrors: [{ registry: 'r.example.com', credentialSecret: { name: 's' } }] }), images: [anImage('a:1', fails('unauthorized', 'destination'))] }, ['CredentialsValid=False/Unauthorized', 'DestinationReachable=False/Unauthorized']],
    ['nothing moved', { images: [anImage('a:1')] }, ['DriftFree=True/Unmoved']],
    ['a tag moved, and the rule wants to know', { rule: aMirrorRule({ drift: 'warn' }), images: [anImage('a:1', { drift })] }, ['DriftFree=False/TagDrifted']],
    ['a tag moved, which only another rule wants to know', { images: [anImage('a:1', { drift })] }, ['DriftFree=True/Unmoved']],
    ['somebody else wrote there', { images: [anImage('a:1', { drift: changed })] }, ['DriftFree=False/DestinationChanged']],
    ['no deletion is blocked', { rule: cleaning() }, ['CleanupHealthy=True/NothingBlocked']],
    ['a deletion is blocked', { rule: cleaning(), images: [anImage('a:1', { blocked }, { unusedSince: earlier })] }, ['CleanupHealthy=False/DeletionBlocked']],
    ['a mirror is shared with clusters nobody hears of', { rule: cleaning({ shared: true }) }, ['CleanupHealthy=False/NotConnected']],
    ['a mirror is shared with clusters that meet here', { rule: cleaning({ shared: true }), isConnected: true }, ['CleanupHealthy=True/NothingBlocked']],
  ])('%s', (_sentence, more, expected) => {
    expect(told(reportMirror(mirrorFacts(more)))).toEqual(expect.arrayContaining(expected));
  });

  test('a rule that cleans up nothing says nothing of clean-up', () => {
    expect(told(reportMirror(mirrorFacts())).filter((text) => text.startsWith('CleanupHealthy'))).toEqual([]);
  });

  test('a collision names both images and the way out', () => {
    const collisions = [{ image: name('quay.io/library/a:1'), holder: name('a:1'), destination: placeIdentity(knownImageRef('r.example.com/library/a:1')) }];

    const message = reportMirror(mirrorFacts({ collisions })).conditions?.find(({ type }) => type === 'PathsUnique')?.message;

    expect(message).toContain('quay.io/library/a:1');
    expect(message).toContain('docker.io/library/a:1');
    expect(message).toContain('layout: host');
  });

  test('counts images, lists the worst first, and sums up', () => {
    const images = [
      anImage('fine:1', { bytes: 5 }),
      anImage('unused:1', { mirroredAt: '2026-11-20T11:00:00Z' }, { unusedSince: earlier, expiresAt: '2026-12-01T00:00:00Z' }),
      anImage('half:1', { missingPlatforms: ['linux/arm64'], bytes: 6 }),
      anImage('waiting:1', { mirroredAt: undefined }),
      anImage('broken:1', { mirroredAt: undefined, failure }),
      anImage('also-broken:1', { failure }), // an old copy is there, the new one failed
    ];

    const status = reportMirror(mirrorFacts({ images }));

    expect(status.counts).toEqual({ images: 6, mirrored: 4, pending: 1, failed: 2, unused: 1, missingPlatforms: 1, listed: 6 });
    expect(status.matchingImages?.map(({ image }) => image.replace(/.*\//, ''))).toEqual(['also-broken:1', 'broken:1', 'waiting:1', 'half:1', 'unused:1', 'fine:1']);
    expect(status.matchingImages?.[1]?.mirrors).toEqual([{ image: 'r.example.com/broken:1', lastError: failure.message }]);
    expect(status).toMatchObject({ observedGeneration: 3, bytes: 11, lastSync: '2026-11-20T11:00:00Z', pendingDeletion: [{ image: 'r.example.com/unused:1', at: '2026-12-01T00:00:00Z' }] });
    expect(MirrorStatus.parse(status)).toEqual(status);
  });

  test('of 20 000 images with 5 copies each counts all and lists the worst', () => {
    const large = aLargeRule('large', 20_000, 5);
    const worst = (wanted: string): string[] => Array.from({ length: 20_000 }, (_, index) => index).filter((index) => standingAt(index) === wanted).map(nameAt);

    const status = reportMirror(large);

    const listed = status.matchingImages?.map(({ image }) => image) ?? [];
    const [failed, pending, incomplete, unused] = ['failed', 'pending', 'incomplete', 'unused'].map(worst);
    expect(status.counts).toEqual({ images: 20_000, mirrored: 20_000 - (pending?.length ?? 0), pending: pending?.length, failed: failed?.length, unused: unused?.length, missingPlatforms: incomplete?.length, listed: listed.length });
    expect(listed).toEqual([...(failed ?? []), ...(pending ?? [])].slice(0, listed.length));
    expect(listed.length).toBeGreaterThan(failed?.length ?? 0);
    expect(status.pendingDeletion).toHaveLength(50);
  });

  test('lists 500 of 2000 images, and counts them all', () => {
    const images = Array.from({ length: 2000 }, (_, index) => ({ image: name(`a:${index}`), places: [] }));

    const status = reportMirror(mirrorFacts({ images }));

    expect(status.counts).toMatchObject({ images: 2000, listed: 500 });
    expect(status.matchingImages).toHaveLength(500);
  });

  test('lists fewer when they are large, so that the object stays below 256 KiB with its managed fields', () => {
    const places = (image: string) => Array.from({ length: 40 }, (_, index) => ({ reference: name(`r${index}.example.com/${'p'.repeat(100)}/${image}`), failure: { ...failure, message: 'm'.repeat(5000) } }));
    const images = Array.from({ length: 500 }, (_, index) => ({ image: name(`a:${index}`), places: places(`a:${index}`) }));

    const status = reportMirror(mirrorFacts({ images }));

    expect(JSON.stringify(status).length).toBeLessThanOrEqual(120 * 1024);
    expect(status.counts?.listed).toBe(status.matchingImages?.length);
    expect(status.matchingImages?.length).toBeGreaterThan(3);
    expect(status.matchingImages?.[0]?.mirrors).toHaveLength(32);
    expect(status.matchingImages?.[0]?.mirrors?.[0]?.lastError).toHaveLength(256);
  });

  test('announces the next 50 deletions, soonest first', () => {
    const images = Array.from({ length: 60 }, (_, index) => anImage(`a:${index}`, {}, { unusedSince: earlier, expiresAt: new Date(now + (60 - index) * 1000).toISOString() }));

    const pending = reportMirror(mirrorFacts({ images })).pendingDeletion;

    expect(pending).toHaveLength(50);
    expect(pending?.[0]?.image).toBe('r.example.com/a:59');
  });
});

describe('the reach of replicas', () => {
  test('an upstream that fails is named', () => {
    const status = reportReplica(replicaFacts({ upstreams: [] }, { places: [{ reference: name('quay.io/a/b:1'), role: 'replica', state: 'QuotaExceeded', checkFailure: 'too many requests' }] }));

    expect(told(status)).toContain('SourceReachable=False/RateLimited');
    expect(status.conditions?.find(({ type }) => type === 'SourceReachable')?.message).toBe('quay.io/a/b:1: too many requests');
  });
});

describe('replicas', () => {
  const good = { registry: 'quay.io', path: '/a' };
  const bad = { registry: 'https://quay.io', path: '/A', imageFilter: { include: ['['] } };

  test('a wrong upstream is counted once, the rule stays ready', () => {
    const status = reportReplica(replicaFacts({ upstreams: [good, bad, good] }, { images: 4, pods: 9, rerouted: 2 }));

    expect(told(status)).toEqual(['Ready=True/InForce', 'SourceReachable=True/Reachable', 'UpstreamsValid=False/InvalidUpstream']);
    expect(status).toMatchObject({ upstreams: '2/3', counts: { images: 4, pods: 9, rerouted: 2 } });
    expect(ReplicatedStatus.parse(status)).toEqual(status);
  });

  test('an image that does not begin with its upstream is reported', () => {
    expect(told(reportReplica(replicaFacts({ upstreams: [good] }, { unjoinable: ['docker.io/prom/x:1 does not start with docker.io/thanos'] })))).toContain('UpstreamsValid=False/InvalidUpstream');
  });

  test('credentials are spoken of where an upstream names them', () => {
    expect(told(reportReplica(replicaFacts({ upstreams: [{ ...good, credentialSecret: { name: 's' } }] })))).toEqual(['Ready=True/InForce', 'CredentialsValid=True/Accepted', 'SourceReachable=True/Reachable', 'UpstreamsValid=True/Usable']);
  });
});

describe('monitoring', () => {
  const checked = (text: string, state?: AvailabilityState, more: Partial<MonitoredImage> = {}): MonitoredImage => ({ image: name(text), state, ...more });

  test('an image that cannot be pulled makes its condition false, never Ready', () => {
    const status = reportMonitor(monitorFacts([checked('a:1', 'Available'), checked('b:1', 'NotFound')]));

    expect(told(status)).toEqual(['Ready=True/InForce', 'AllImagesAvailable=False/ImagesUnavailable']);
    expect(status.conditions?.[1]?.message).toBe('1 of 2 images cannot be pulled: docker.io/library/b:1 (NotFound)');
  });

  test('an image that was not checked yet is not unavailable', () => {
    expect(told(reportMonitor(monitorFacts([checked('a:1')])))).toContain('AllImagesAvailable=True/AllAvailable');
  });

  test('lists the worst first, used before unused, then by name', () => {
    const states: AvailabilityState[] = ['Available', 'Scheduled', 'QuotaExceeded', 'Unreachable', 'UnavailableSecret', 'InvalidAuth', 'NotFound'];
    const images = [...states.map((state) => checked(`z:${state}`, state)), checked('a:old', 'NotFound', { unusedSince: earlier }), checked('b:NotFound', 'NotFound')];

    const listed = reportMonitor(monitorFacts(images)).images?.map(({ image }) => image.replace('docker.io/library/', ''));

    expect(listed).toEqual(['b:NotFound', 'z:NotFound', 'a:old', 'z:InvalidAuth', 'z:UnavailableSecret', 'z:Unreachable', 'z:QuotaExceeded', 'z:Scheduled', 'z:Available']);
  });

  test('counts, and tells how old the picture may be', () => {
    const images = [checked('a:1', 'Available', { checkedAt: earlier, original: true }), checked('b:1', 'Unreachable', { checkedAt: nowText, checkFailure: 'no route' }), checked('c:1', undefined, { unusedSince: earlier })];

    const status = reportMonitor(monitorFacts(images, { cycleMs: 432_000 * 60 + 1 }));

    expect(status).toMatchObject({ imageCount: 3, counts: { available: 1, unavailable: 1, unchecked: 1, unused: 1, listed: 3 }, cycle: '7h12m1s', oldestCheck: earlier });
    expect(status.images).toEqual([
      { image: 'docker.io/library/b:1', status: 'Unreachable', lastError: 'no route', lastMonitor: nowText },
      { image: 'docker.io/library/c:1', status: 'Scheduled', unusedSince: earlier },
      { image: 'docker.io/library/a:1', status: 'Available', lastMonitor: earlier, original: true },
    ]);
    expect(ClusterImageSetAvailabilityStatus.parse(status)).toEqual(status);
  });
});
