import { describe, expect, test } from '@jest/globals';
import type { Claim } from '../../src/domain/claim.js';
import { holdClaim, holdRelease, liveClaims, wantedOf, type Claims } from '../../src/domain/claims.js';
import { expiryOf, knownClusters } from '../../src/domain/retain.js';
import type { ImageName } from '../../src/domain/image-ref.js';
import { aClaim, days, hours, nginx, place, t0 } from '../support/keeper.js';

const held = (...claims: readonly Claim[]): Claims => claims.reduce<Claims>((all, claim) => holdClaim(all, claim, t0).claims, []);
const wanted = (claims: Claims, now = t0, some = {}) => wantedOf(claims, now, { silent: [], ...some });
const release = (cluster: string, generation: number, purge = false) => ({ v: 1, cluster, generation, purge }) as const;

describe('claims of several clusters add up safely', () => {
  test.each<[string, Partial<Claim>, Partial<Claim>, Partial<Claim>]>([
    ['all platforms are copied', { platforms: [{ architecture: 'arm64' }] }, { platforms: [{ architecture: 'amd64' }] }, { platforms: [{ architecture: 'amd64' }, { architecture: 'arm64' }] }],
    ['the longest retention counts', { retentionMs: days }, { retentionMs: 2 * days }, { retentionMs: 2 * days }],
    ['clean-up needs everybody', { cleanup: true }, { cleanup: false }, { cleanup: false }],
    ['keep comes before warn', { drift: 'warn' }, { drift: 'keep' }, { drift: 'keep' }],
    ['warn comes before sync', { drift: 'warn' }, { drift: 'sync' }, { drift: 'warn' }],
    ['all comes before auto', { copy: 'auto' }, { copy: 'all' }, { copy: 'all' }],
    ['sparse comes before rewrite', { copy: 'sparse' }, { copy: 'rewrite' }, { copy: 'sparse' }],
    ['referrers are copied when one wants them', { referrers: 'none' }, { referrers: 'auto' }, { referrers: 'auto' }],
  ])('%s', (_sentence, one, other, sum) => {
    expect(wanted(held(aClaim(one), aClaim({ cluster: 'paris', ...other })))).toMatchObject(sum);
    expect(wanted(held(aClaim({ cluster: 'paris', ...one }), aClaim(other)))).toMatchObject(sum);
  });
});

test('the first live cluster executes, with its own rules and sources, unless it is silent', () => {
  const rules = [{ kind: 'ClusterImageSetMirror', name: 'french', uid: 'f' }] as const;
  const claims = held(aClaim(), aClaim({ cluster: 'paris', rules }));

  expect(wanted(claims)).toMatchObject({ cluster: 'berlin', clusters: ['berlin', 'paris'] });
  expect(wanted(claims, t0, { silent: ['berlin'] })).toMatchObject({ cluster: 'paris', rules });
});

test('a claim that rests has a say in how long a copy is kept, not in how it is made', () => {
  const resting = aClaim({ rests: true, platforms: [{ architecture: 's390x' }], copy: 'all', retentionMs: 90 * days, cleanup: false });
  const wants = aClaim({ cluster: 'paris' });

  expect(wanted(held(resting, wants))).toMatchObject({ cluster: 'paris', platforms: wants.platforms, copy: 'auto', retentionMs: 90 * days, cleanup: false, plan: wanted(held(wants))?.plan, clusters: ['berlin', 'paris'] });
  expect(wanted(held(resting, wants))).not.toHaveProperty('rests');
  expect(wanted(held(resting))).toMatchObject({ rests: true });
});

test('the plan does not depend on which cluster executes, nor on the order of what it lists', () => {
  const claims = held(aClaim({ platforms: [{ architecture: 'amd64' }, { architecture: 'arm64' }] }), aClaim({ cluster: 'paris' }));
  const turned = held(aClaim({ platforms: [{ architecture: 'arm64' }, { architecture: 'amd64' }] }), aClaim({ cluster: 'paris' }));

  expect(wanted(claims, t0, { silent: ['berlin'] })?.plan).toBe(wanted(turned)?.plan);
});

test('an expired lease keeps its platforms in the copy, a release takes them back', () => {
  const claims = held(aClaim({ ttlMs: 10 * days }), aClaim({ cluster: 'paris', ttlMs: hours, platforms: [{ architecture: 'arm64' }] }));
  const arm = (claimed: Claims): boolean | undefined => wanted(claimed, t0 + 2 * hours)?.platforms.some(({ architecture }) => architecture === 'arm64');

  expect(arm(claims)).toBe(true);
  expect(arm(holdRelease(claims, release('paris', 2), t0))).toBe(false);
});

test('of two images that want one destination, the one whose copy is there keeps it, else the first by name', () => {
  const quay = 'quay.io/library/nginx:1.27' as ImageName;
  const claims = held(aClaim({ image: quay }), aClaim({ cluster: 'paris', image: nginx }));

  expect(wanted(claims)).toMatchObject({ image: nginx, refused: [{ cluster: 'berlin', image: quay }] });
  expect(wanted(claims, t0, { holder: quay })).toMatchObject({ image: quay, refused: [{ cluster: 'paris', image: nginx }] });
});

describe('a claim of a cluster that does not know what the copy is a copy of', () => {
  const nameless = aClaim({ cluster: 'aachen', image: 'registry.example.com/mirror/library/nginx:1.27' as ImageName, sources: [], rests: true });

  test('keeps what another cluster wants there, and has no say in what that is', () => {
    expect(wanted(held(nameless, aClaim()))).toMatchObject({ image: nginx, cluster: 'berlin', clusters: ['aachen', 'berlin'], refused: [], plan: wanted(held(aClaim()))?.plan });
    expect(wanted(held(nameless, aClaim()))).not.toHaveProperty('rests');
  });

  test('keeps what is there when it is the last', () => {
    expect(wanted(held(nameless), t0, { holder: nginx })).toMatchObject({ image: nginx, rests: true, clusters: ['aachen'] });
  });

  test('wants nothing where nothing is', () => {
    expect(wanted(held(nameless))).toMatchObject({ rests: true, sources: [] });
  });

  test('is asked about the copy by the name of its image', () => {
    expect(knownClusters({ destination: place, claims: held(nameless, aClaim()) }, nginx, t0)).toMatchObject([{ cluster: 'aachen', image: nginx }, { cluster: 'berlin', image: nginx }]);
  });
});

test('a message of an older generation loses, unless it is the renewal', () => {
  const claims = held(aClaim({ generation: 7, copy: 'all' }));

  expect(holdClaim(claims, aClaim({ generation: 3 }), t0)).toMatchObject({ answer: 'stale', claims });
  expect(holdClaim(claims, aClaim({ generation: 7 }), t0)).toMatchObject({ answer: 'known', claims });
  expect(holdClaim(claims, aClaim({ generation: 3, renewal: true }), t0)).toMatchObject({ answer: 'accepted', claims: [{ generation: 3, claim: { copy: 'auto' } }] });
});

test('the sixty-fifth cluster is refused', () => {
  const claims = held(...Array.from({ length: 64 }, (_, index) => aClaim({ cluster: `cluster-${index}` })));

  expect(holdClaim(claims, aClaim({ cluster: 'one-more' }), t0).answer).toBe('too-many-clusters');
  expect(holdClaim(claims, aClaim({ cluster: 'cluster-7', generation: 2 }), t0).answer).toBe('accepted');
});

const expiry = (claims: Claims, bornAt: number, now: number): ReturnType<typeof expiryOf> => expiryOf({ claims, bornAt, pace: 1, edition: 2 }, now);

describe('the retention clock', () => {
  const claims = held(aClaim(), aClaim({ cluster: 'paris', retentionMs: 40 * days }));
  const ended = holdRelease(holdRelease(claims, release('berlin', 2), t0 + hours), release('paris', 2), t0 + 2 * hours);

  test('stands still while a claim lives', () => {
    expect(expiry(holdRelease(claims, release('berlin', 2), t0), t0, t0)).toBeUndefined();
    expect(liveClaims(holdRelease(claims, release('berlin', 2), t0), t0)).toHaveLength(1);
  });

  test('starts when the last claim ended, and runs for the longest retention', () => {
    expect(expiry(ended, t0, t0 + days)).toEqual({ unusedSince: t0 + 2 * hours, cleanup: true, dueAt: t0 + 2 * hours + 40 * days, purge: false });
  });

  test('starts with the end of a lease as well', () => {
    expect(expiry(held(aClaim({ ttlMs: hours })), t0, t0 + days)).toMatchObject({ unusedSince: t0 + hours });
  });

  test('starts anew when a cluster lets go whose claim found no keeper, and no purge of another one ends it before', () => {
    const elsewhere = holdRelease(ended, release('paris-2', 5), t0 + 5 * hours);

    expect(expiry(elsewhere, t0, t0 + days)).toMatchObject({ unusedSince: t0 + 5 * hours, dueAt: t0 + 5 * hours + 40 * days });
    expect(expiry(holdRelease(elsewhere, release('paris-2', 6), t0 + 9 * hours), t0, t0 + days)).toMatchObject({ unusedSince: t0 + 5 * hours }); // said again, it is no news
    const purged = holdRelease(held(aClaim()), release('berlin', 2, true), t0);
    expect(expiry(holdRelease(purged, release('paris', 5), t0), t0, t0)).toMatchObject({ purge: false, dueAt: t0 + 30 * days });
  });

  test('is none where nobody ever claimed, whoever lets go', () => {
    expect(expiry(holdRelease([], release('paris', 5), t0), t0, t0)).toBeUndefined();
  });

  test('never ends sooner than 48 hours on a shared mirror, nor for a younger keeper', () => {
    const shared = holdRelease(held(aClaim({ shared: true, retentionMs: 0 })), release('berlin', 2), t0);

    expect(expiry(shared, t0 - 30 * days, t0)?.dueAt).toBe(t0 + 48 * hours);
    expect(expiry(shared, t0 + hours, t0 + hours)?.dueAt).toBe(t0 + 49 * hours);
  });

  test.each([
    ['is over at once for a purge, clean-up or not', holdRelease(held(aClaim({ cleanup: false })), release('berlin', 2, true), t0), true, t0],
    ['is no reason to delete when one cluster does not clean up', holdRelease(holdRelease(held(aClaim(), aClaim({ cluster: 'paris', cleanup: false })), release('paris', 2), t0), release('berlin', 2), t0), false, t0 + 30 * days],
  ])('%s', (_sentence, all, cleanup, dueAt) => {
    expect(expiry(all, t0, t0)).toMatchObject({ cleanup, dueAt });
  });
});

describe('a cluster that somebody forgets', () => {
  const both = held(aClaim({ retentionMs: 1 * days }), aClaim({ cluster: 'paris', generation: 5, retentionMs: 90 * days }));
  const forgotten = holdRelease(both, { v: 1, cluster: 'paris', generation: 0, forget: true }, t0);

  test('holds the destination no longer, whatever the generation of its last word; its policy still counts', () => {
    expect(liveClaims(forgotten, t0).map(({ cluster }) => cluster)).toEqual(['berlin']);
    expect(expiry(holdRelease(forgotten, release('berlin', 2), t0), t0, t0)?.dueAt).toBe(t0 + 90 * days);
  });

  test('claims again with its renewal when it lives after all', () => {
    const { claims, answer } = holdClaim(forgotten, aClaim({ cluster: 'paris', generation: 0, renewal: true }), t0);

    expect(answer).toBe('accepted');
    expect(liveClaims(claims, t0)).toHaveLength(2);
  });

  test('that never claimed changes nothing', () => {
    expect(holdRelease(both, { v: 1, cluster: 'rome', generation: 0, forget: true }, t0)).toEqual(both);
  });
});
