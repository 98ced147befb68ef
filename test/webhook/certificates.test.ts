import { createSecureContext } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { AppliedSecret, Secret } from '../../src/domain/secret.js';
import { AuthorityKeeper, type AuthorityKeeperDeps } from '../../src/webhook/authority-keeper.js';
import { CertificateKeeper, type CertificateKeeperDeps } from '../../src/webhook/certificate-keeper.js';
import { authoritySecret, readAuthorities } from '../../src/webhook/certificate-secret.js';
import { bundleOf, leafLifetimeMs, nextCertificateStep, settleMs, signerOf, type Authorities } from '../../src/webhook/certificates.js';
import { LeafKeeper, unannouncedMs } from '../../src/webhook/leaf-keeper.js';
import { ProvidedAuthority } from '../../src/webhook/provided-authority.js';
import { ProvidedCertificate } from '../../src/webhook/provided-certificate.js';
import { certificatesIn, issueLeaf, makeAuthority, type KeyPair } from '../../src/webhook/x509.js';
import { handClock, silentLog } from './support.js';

const start = Date.parse('2026-01-01T00:00:00Z');
const day = 86_400_000;
const year = 365 * day;
const names = { dns: ['kuik-webhook.kuik-system.svc', 'localhost'], ips: ['127.0.0.1', '::1'] };

let authority: KeyPair;
let next: KeyPair;
let leaf: KeyPair;
beforeAll(async () => {
  authority = await makeAuthority('first', start, year);
  next = await makeAuthority('second', start + 250 * day, year);
  leaf = await issueLeaf(authority, names, start, year);
});

describe('a leaf', () => {
  test('is accepted by TLS, names its server and chains to its authority', async () => {
    const leaf = await issueLeaf(authority, names, start, leafLifetimeMs);

    const read = new X509Certificate(leaf.certificate);
    expect(() => createSecureContext({ cert: leaf.certificate, key: leaf.privateKey })).not.toThrow();
    expect(read.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
    expect(read.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
    expect([read.checkHost('kuik-webhook.kuik-system.svc'), read.checkIP('127.0.0.1'), read.checkIP('::1'), read.checkHost('example.com')]).toEqual([
      'kuik-webhook.kuik-system.svc',
      '127.0.0.1',
      '::1',
      undefined,
    ]);
    expect(read.validToDate.getTime()).toBe(start + 7 * day);
    expect(read.ca).toBe(false);
  });
});

describe('the next step', () => {
  test.each<[string, () => Authorities | 'absent' | 'unreadable', number, object]>([
    ['makes an authority when there is none', () => 'absent', 0, { do: 'make', reason: 'Absent' }],
    ['makes one when the Secret holds something else', () => 'unreadable', 0, { do: 'make', reason: 'Unreadable' }],
    ['makes one when key and certificate do not fit', () => ({ current: { ...authority, privateKey: next.privateKey } }), 0, { do: 'make', reason: 'Unreadable' }],
    ['makes one where cert-manager left the certificate of v2, which signs nothing', () => ({ current: leaf }), 0, { do: 'make', reason: 'Unreadable' }],
    ['makes one when the old one has ended', () => ({ current: authority }), 366, { do: 'make', reason: 'Expired' }],
    ['keeps a young one', () => ({ current: authority }), 200, { do: 'keep' }],
    ['introduces the next one after two thirds of the year', () => ({ current: authority }), 244, { do: 'introduce' }],
    ['publishes both before anybody is asked to trust the next one', () => ({ current: authority, next }), 250, { do: 'publish' }],
    ['keeps both while leaves of the old one may live', () => ({ current: authority, next, published: start + 250 * day }), 257, { do: 'keep' }],
    ['promotes the next one when they have ended', () => ({ current: authority, next, published: start + 250 * day }), 257.1, { do: 'promote' }],
  ])('%s', (_sentence, stored, days, expected) => {
    expect(nextCertificateStep(stored(), start + days * day)).toMatchObject(expected);
  });

  test('restores a Secret somebody deleted, so that nobody has to learn a new authority', () => {
    expect(nextCertificateStep('absent', start, { current: authority })).toEqual({ do: 'restore', remembered: { current: authority } });
  });

  test('a leaf is signed by the next authority only when clients had time to learn it', () => {
    const both = { current: authority, next, published: start };

    expect(signerOf({ current: authority, next }, start + settleMs)).toBe(authority);
    expect(signerOf(both, start + settleMs - 1)).toBe(authority);
    expect(signerOf(both, start + settleMs)).toBe(next);
    expect(bundleOf(both).match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });
});

test('what is written to the Secret is read back the same', () => {
  const authorities = { current: authority, next, published: start };

  expect(readAuthorities(stored(authoritySecret({ namespace: 'n', name: 's' }, authorities)))).toEqual(authorities);
});

test.each<[string, Record<string, Uint8Array>]>([
  ['empty', {}],
  ['without key', { 'tls.crt': Buffer.from('x') }],
])('a Secret that is %s is unreadable, never an error', (_name, data) => {
  expect(readAuthorities(stored({ namespace: 'n', name: 's', type: 'Opaque', data }))).toBe('unreadable');
});

describe('the keeper', () => {
  test('makes, publishes and serves at first, and does nothing when all is well', async () => {
    const world = aWorld();
    const keeper = world.keeper();
    expect(keeper.ready()).toBe('no certificate yet');

    await keeper.look();
    await keeper.look();

    expect(keeper.ready()).toBe(true);
    expect([world.served.length, world.published.length, world.writes]).toEqual([1, 1, 1]);
    expect(chains(world.served[0], world.published[0])).toBe(true);
  });

  test('replicas that start together end up with one authority', async () => {
    const world = aWorld();
    const replicas = [world.keeper(), world.keeper(), world.keeper()];

    await Promise.all(replicas.map((replica) => replica.look()));
    await Promise.all(replicas.map((replica) => replica.look()));

    const bundle = world.published.at(-1);
    expect(replicas.map((_, index) => chains(world.leafOf(index), bundle))).toEqual([true, true, true]);
  });

  test('renews the leaf at two thirds of its week', async () => {
    const world = aWorld();
    const keeper = world.keeper();

    await keeper.look();
    await world.clock.advance(4.6 * day);
    await keeper.look();
    expect(world.served).toHaveLength(1);
    await world.clock.advance(0.1 * day);
    await keeper.look();

    expect(world.served).toHaveLength(2);
  });

  test('passes a whole rotation in which every leaf is trusted when it is served', async () => {
    const world = aWorld();
    const keeper = world.keeper();

    for (let passed = 0; passed < 2 * year; passed += day / 4) {
      await keeper.look();
      expect(chains(world.served.at(-1), world.published.at(-1))).toBe(true);
      expect(keeper.ready()).toBe(true);
      await world.clock.advance(day / 4);
    }

    expect(new Set(world.published).size).toBeGreaterThanOrEqual(5); // one, both, one, both, one
  });

  test('brings back a Secret somebody deleted, with the same authority', async () => {
    const world = aWorld();
    const keeper = world.keeper();
    await keeper.look();
    const before = world.authorities();

    world.forget();
    await keeper.look();

    expect(world.authorities()).toEqual(before);
    expect(world.served).toHaveLength(1);
  });

  test('serves a first certificate even when it may not publish', async () => {
    const world = aWorld();
    const keeper = world.keeper({ publish: () => Promise.reject(new Error('forbidden')) });

    await expect(keeper.look()).rejects.toThrow('forbidden');

    expect(keeper.ready()).toBe(true);
  });
});

describe('where a manager leads and replicas only read', () => {
  test('replicas wait for the authority, and serve what the API server trusts', async () => {
    const world = aWorld();
    const [leader, ...replicas] = [world.authority(), world.leaf(), world.leaf()];
    await Promise.all(replicas.map((replica) => replica.look()));
    expect(replicas.map((replica) => replica.ready())).toEqual(['no certificate yet', 'no certificate yet']);

    await leader.look();
    await Promise.all(replicas.map((replica) => replica.look()));

    expect(replicas.map((replica) => replica.ready())).toEqual([true, true]);
    expect([chains(world.leafOf(0), world.trusted), chains(world.leafOf(1), world.trusted), world.writes]).toEqual([true, true, 1]);
  });

  test('every leaf that is served is trusted, at every moment of two years, whoever looks first', async () => {
    const world = aWorld();
    const [leader, replica] = [world.authority(), world.leaf()];
    await leader.look();

    for (let passed = 0; passed < 2 * year; passed += day / 4) {
      for (const each of passed % day === 0 ? [leader, replica] : [replica, leader]) {
        await each.look();
        expect(world.served.length === 0 || chains(world.served.at(-1), world.trusted)).toBe(true);
      }
      await world.clock.advance(day / 4);
    }

    expect(new Set(world.published).size).toBeGreaterThanOrEqual(5);
  });

  test('a lost authority is made anew, and the old one is trusted until every replica has read of it', async () => {
    const world = aWorld();
    const replica = world.leaf();
    await world.authority().look();
    await replica.look();
    const old = world.leafOf(0);

    world.forget();
    const next = world.authority(); // the one who remembered is gone, too
    await replica.look();
    await next.look();

    await replica.look();
    await world.clock.advance(unannouncedMs - 1);
    await replica.look();
    // API servers may not know the new one yet
    expect([chains(old, world.trusted), world.leafOf(0)]).toEqual([true, old]);
    await world.clock.advance(1);
    await replica.look();
    expect([chains(world.leafOf(0), world.trusted), world.leafOf(0) === old]).toEqual([true, false]);
    await world.clock.advance(settleMs);
    await next.look();
    expect([chains(world.leafOf(0), world.trusted), chains(old, world.trusted)]).toEqual([true, false]);
  });

  test('a replica whose leaf has ended, or that has none, takes an authority nobody announced at once', async () => {
    const world = aWorld();
    const replica = world.leaf();
    await world.authority().look();
    await replica.look();

    world.forget();
    await world.clock.advance(leafLifetimeMs);
    await world.authority().look();
    await replica.look();

    const fresh = world.leaf();
    await fresh.look();
    expect([replica.ready(), world.served.length, chains(world.leafOf(0), world.trusted), chains(world.leafOf(1), world.trusted)]).toEqual([true, 3, true, true]);
  });

  test('an authority that is lost again at once: what replicas still serve with is trusted all the time', async () => {
    const world = aWorld();
    const replica = world.leaf();
    await world.authority().look();
    await replica.look();

    for (let losses = 0; losses < 4; losses++) {
      world.forget();
      await world.authority().look();
      expect(chains(world.leafOf(0), world.trusted)).toBe(true);
      await replica.look();
      await world.clock.advance(unannouncedMs);
      await replica.look();
      expect(chains(world.leafOf(0), world.trusted)).toBe(true);
    }
  });

  test('who leads next goes on trusting what replicas still serve with, for as long as they may', async () => {
    const world = aWorld();
    const replica = world.leaf();
    await world.authority().look();
    await replica.look();
    world.forget();
    await world.authority().look();

    const next = world.authority();
    await next.look();

    expect([world.trusted.match(/BEGIN CERTIFICATE/g)?.length, chains(world.leafOf(0), world.trusted)]).toEqual([2, true]);
    await world.clock.advance(settleMs);
    await next.look();
    expect(world.trusted.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
  });

  test('the authority is written after it is trusted, when there was another', async () => {
    const world = aWorld();
    await world.authority().look();
    world.forget();

    await world.authority({ cluster: { secret: async () => undefined, applySecret: () => Promise.reject(new Error('away')) } }).look().catch(() => undefined);

    expect(world.trusted.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(world.authorities()).toBe('absent');
  });

  test('a Secret that is away or spoiled costs a replica nothing: it goes on, and renews', async () => {
    const world = aWorld();
    const replica = world.leaf();
    await world.authority().look();
    await replica.look();

    world.forget();
    await world.clock.advance(5 * day);
    await replica.look();

    expect([replica.ready(), world.served.length, chains(world.served[1], world.trusted)]).toEqual([true, 2, true]);
  });

  test('nothing is made and nothing written where no webhook is registered that it is for', async () => {
    const world = aWorld();

    await world.authority({ trusted: async () => undefined }).look();

    expect([world.writes, world.published]).toEqual([0, []]);
  });
});

describe('a provided certificate', () => {
  test('is followed when the files change, and never served half', async () => {
    const first = await issueLeaf(authority, names, start, leafLifetimeMs);
    const second = await issueLeaf(authority, names, start, leafLifetimeMs);
    const served: KeyPair[] = [];
    let files = first;
    const provided = new ProvidedCertificate({ read: async () => files, serve: (leaf) => served.push(leaf), clock: handClock(start), log: silentLog });

    await provided.look();
    files = { certificate: second.certificate, privateKey: first.privateKey };
    await expect(provided.look()).rejects.toThrow('do not belong together');
    files = second;
    await provided.look();
    await provided.look();

    expect(served).toEqual([first, second]);
    expect(provided.ready()).toBe(true);
  });

  test('of another authority is served only after the time in which that is published, unless the old one has ended', async () => {
    const old = { ...(await issueLeaf(authority, names, start, leafLifetimeMs)), authority: authority.certificate };
    const other = { ...(await issueLeaf(next, names, start, leafLifetimeMs)), authority: next.certificate };
    const play = async (afterMs: number): Promise<boolean> => {
      const clock = handClock(start);
      const served: string[] = [];
      let files = old;
      const provided = new ProvidedCertificate({ read: async () => files, serve: ({ certificate }) => served.push(certificate), clock, log: silentLog });
      await provided.look();
      await clock.advance(1_000);
      files = other;
      await provided.look();
      expect(served).toHaveLength(1);
      await clock.advance(afterMs);
      await provided.look();
      return served.at(-1) === other.certificate;
    };

    expect([await play(settleMs - 1), await play(settleMs), await play(leafLifetimeMs)]).toEqual([false, true, true]);
  });
});

describe('the authority of a provided certificate', () => {
  function aProvided(read: () => string | undefined, trusted: { bundle: string | undefined }) {
    const clock = handClock(start);
    const publish = async (bundle: string): Promise<void> => void (trusted.bundle = bundle);
    return { clock, authority: new ProvidedAuthority({ read: async () => read(), publish, trusted: async () => trusted.bundle, clock, log: silentLog }) };
  }

  test('is published beside the one before it, which goes when every replica has had its time', async () => {
    const trusted: { bundle: string | undefined } = { bundle: '' };
    let file = authority.certificate;
    const { clock, authority: keeper } = aProvided(() => file, trusted);
    await keeper.look();
    const alone = certificatesIn(trusted.bundle ?? '').length;

    file = next.certificate;
    await keeper.look();
    const [first, second, ...more] = certificatesIn(trusted.bundle ?? '');
    expect([alone, first?.trim(), second?.trim(), more]).toEqual([1, next.certificate.trim(), authority.certificate.trim(), []]);

    await clock.advance(2 * settleMs);
    await keeper.look();
    expect(certificatesIn(trusted.bundle ?? '').map((each) => each.trim())).toEqual([next.certificate.trim()]);
  });

  test('is published again when somebody changed the configuration', async () => {
    const trusted: { bundle: string | undefined } = { bundle: '' };
    const { clock, authority: keeper } = aProvided(() => authority.certificate, trusted);
    await keeper.look();
    trusted.bundle = '';
    await clock.advance(30_000);
    await keeper.look();

    expect(trusted.bundle.trim()).toBe(authority.certificate.trim());
  });

  test.each<[string, () => string | undefined, string | undefined]>([
    ['is left to whoever provides the certificate where there is no ca.crt', () => undefined, 'theirs'],
    ['is published for no registration of somebody else', () => authority.certificate, undefined],
  ])('%s', async (_sentence, read, bundle) => {
    const trusted = { bundle };
    await aProvided(read, trusted).authority.look();

    expect(trusted.bundle).toBe(bundle);
  });

  test('stays as it was while the file makes no sense', async () => {
    const trusted: { bundle: string | undefined } = { bundle: 'before' };

    await expect(aProvided(() => 'no certificate', trusted).authority.look()).rejects.toThrow('holds no certificate');
    expect(trusted.bundle).toBe('before');
  });
});

function aWorld() {
  const clock = handClock(start);
  const served: KeyPair[] = [];
  const byKeeper: KeyPair[] = [];
  const published: string[] = [];
  let secret: Secret | undefined;
  const cluster: AuthorityKeeperDeps['cluster'] = {
    secret: async () => secret,
    applySecret: async (applied) => {
      world.writes++;
      secret = stored(applied);
    },
  };
  const common = { cluster, secret: { namespace: 'kuik-system', name: 'kuik-webhook-server-cert' }, clock, log: silentLog };
  const publish = async (bundle: string): Promise<void> => void published.push(bundle);
  const world = {
    clock,
    served,
    published,
    writes: 0,
    get trusted(): string {
      return published.at(-1) ?? '';
    },
    authority: (deps: Partial<AuthorityKeeperDeps> = {}): AuthorityKeeper => new AuthorityKeeper({ ...common, publish, trusted: async () => world.trusted, ...deps }),
    leaf: (): LeafKeeper => {
      const index = byKeeper.length++;
      return new LeafKeeper({ ...common, names, serve: (leaf) => world.serve(leaf, index) });
    },
    serve: (leaf: KeyPair, index: number): void => {
      served.push(leaf);
      byKeeper[index] = leaf;
    },
    leafOf: (index: number): KeyPair | undefined => byKeeper[index],
    forget: (): void => void (secret = undefined),
    authorities: () => readAuthorities(secret),
    keeper: (deps: Partial<CertificateKeeperDeps> = {}): CertificateKeeper => {
      const index = byKeeper.length++;
      return new CertificateKeeper({ ...common, names, publish, serve: (leaf) => world.serve(leaf, index), ...deps });
    },
  };
  return world;
}

function stored(applied: AppliedSecret): Secret {
  return { uid: 'u', resourceVersion: '1', labels: {}, annotations: {}, ...applied };
}

function chains(leaf: KeyPair | undefined, bundle = ''): boolean {
  const trusted = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return leaf !== undefined && trusted.some((pem) => new X509Certificate(leaf.certificate).verify(new X509Certificate(pem).publicKey));
}
