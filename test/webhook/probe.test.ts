import { describe, expect, test } from '@jest/globals';
import type { Digest } from '../../src/domain/digest.js';
import { Failure, failureCodes, failures, type FailureCode } from '../../src/domain/failure.js';
import { knownImageRef, placeIdentity } from '../../src/domain/image-ref.js';
import type { Credential, Registry, Seen } from '../../src/registry/registry.js';
import { Prober, type Asked, type ProbeSettings } from '../../src/webhook/probe.js';
import { handClock, settled } from './support.js';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const alice: Credential = { id: 'alice0000000', username: 'alice', password: 'p' };
const bob: Credential = { id: 'bob000000000', username: 'bob', password: 'p' };

type Head = Registry['head'];

function aProber(head: Head, settings: Partial<ProbeSettings> = {}) {
  const looks: string[] = [];
  const clock = handClock();
  const asked: string[] = [];
  const registry: Pick<Registry, 'head'> = {
    head: (at, as, call) => {
      asked.push(`${at.host}/${at.path}${at.digest === undefined ? `:${at.tag ?? 'latest'}` : `@${at.digest}`}`);
      return head(at, as, call);
    },
  };
  const prober = new Prober({ registry, clock, random: () => 0, settings: { timeoutMs: 1_000, positiveTtlMs: 30_000, negativeTtlMs: 3_000, resolveDigest: false, ...settings }, observe: (result) => looks.push(result) });
  return { prober, clock, asked, looks };
}

function about(text: string, ...as: readonly Credential[]): Asked {
  const ref = knownImageRef(text);
  return { place: placeIdentity(ref), ref, as };
}

function seen(identity = 'anonymous'): Seen {
  return { digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', size: 1, identity };
}

function fails(code: FailureCode, cause?: Error): Head {
  return () => Promise.reject(new Failure({ code, side: 'source', host: 'r.example.com', message: `it was ${code}` }, { cause }));
}

const never: Head = () => new Promise(() => {});

describe('a probe', () => {
  test('sees what is available, and which digest the tag names', async () => {
    const { prober, clock } = aProber(async () => seen());

    expect(await prober.ask(about('r.example.com/a:1'))).toEqual({ state: 'Available', identity: 'anonymous', digest, checkedAt: clock.now(), tookMs: 0 });
  });

  test('tells whether its answer was at hand', async () => {
    const { prober, looks } = aProber(async () => seen());

    for (let time = 0; time < 3; time++) await prober.ask(about('r.example.com/a:1'));

    expect(looks).toEqual(['miss', 'hit', 'hit']);
  });

  test.each(failureCodes)('that fails with %s gives the state of the failure table', async (code) => {
    const { prober } = aProber(fails(code));

    const { state, code: found, message } = await prober.ask(about('r.example.com/a:1'));

    expect(state).toBe(failures[code].state === 'unchanged' ? 'Unreachable' : failures[code].state);
    expect([found, message]).toEqual([code, `it was ${code}`]);
  });

  test('of something that is not there gives NotFound', async () => {
    const { prober } = aProber(async () => 'missing');

    expect(await prober.ask(about('r.example.com/a:1'))).toMatchObject({ state: 'NotFound', code: 'missing' });
  });

  test('that throws something unexpected gives Unreachable, and no details', async () => {
    const { prober } = aProber(() => Promise.reject(new TypeError('password=canary')));

    const fact = await prober.ask(about('r.example.com/a:1'));

    expect(fact.state).toBe('Unreachable');
    expect(JSON.stringify(fact)).not.toContain('canary');
  });

  test('ends at its own time limit even when the registry ignores the abort', async () => {
    const { prober, clock } = aProber(never);

    const probe = prober.ask(about('r.example.com/a:1'));
    await clock.advance(1_000);

    expect(await probe).toMatchObject({ state: 'Unreachable', code: 'timeout', tookMs: 1_000 });
    expect(clock.sleepers()).toBe(0);
  });

  test('is aborted when its time is over', async () => {
    let signal: AbortSignal | undefined;
    const { prober, clock } = aProber((_at, _as, call) => {
      signal = call.signal;
      return new Promise(() => {});
    });

    void prober.ask(about('r.example.com/a:1'));
    await clock.advance(1_000);

    expect(signal?.aborted).toBe(true);
  });

  test('of a pinned image asks for the digest only', async () => {
    const { prober, asked } = aProber(async () => seen());

    await prober.ask(about(`r.example.com/a:1@${digest}`));

    expect(asked).toEqual([`r.example.com/a@${digest}`]);
  });

  test('notes until when a registry asked to be left alone', async () => {
    const { prober, clock } = aProber(() => Promise.reject(new Failure({ code: 'throttled', side: 'source', message: 'slow down', retryAfterMs: 60_000 })));

    expect(await prober.ask(about('r.example.com/a:1'))).toMatchObject({ state: 'QuotaExceeded', until: clock.now() + 60_000 });
  });
});

describe('with resolveDigest', () => {
  test('the digest a tag names is asked for, too', async () => {
    const { prober, asked } = aProber(async () => seen(), { resolveDigest: true });

    await prober.ask(about('r.example.com/a:1'));

    expect(asked).toEqual(['r.example.com/a:1', `r.example.com/a@${digest}`]);
  });

  test('a tag whose digest is not there is NotFound, and says so', async () => {
    const { prober } = aProber(async (at) => (at.digest === undefined ? seen() : 'missing'), { resolveDigest: true });

    expect(await prober.ask(about('r.example.com/a:1'))).toMatchObject({ state: 'NotFound', message: expect.stringContaining('disagree') as unknown });
  });
});

describe('a fact', () => {
  test('is shared by concurrent reviews: one request', async () => {
    const { prober, asked } = aProber(async () => seen());

    await Promise.all(Array.from({ length: 50 }, () => prober.ask(about('r.example.com/a:1'))));

    expect(asked).toHaveLength(1);
  });

  test.each<[string, number, string, Head, number]>([
    ['an available place', 29_999, 'no second look', async () => seen(), 1],
    ['an available place', 30_000, 'a second look', async () => seen(), 2],
    ['a missing image', 2_999, 'no second look', async () => 'missing', 1],
    ['a missing image', 3_000, 'a second look', async () => 'missing', 2],
  ])('about %s that is %d ms old needs %s', async (_what, ageMs, _sentence, head, requests) => {
    const { prober, clock, asked } = aProber(head);

    await prober.ask(about('r.example.com/a:1'));
    await clock.advance(ageMs);
    await prober.ask(about('r.example.com/a:1'));

    expect(asked).toHaveLength(requests);
  });

  test('of one tenant tells another tenant nothing', async () => {
    const { prober, asked } = aProber(async (_at, as) => (as[0]?.id === alice.id ? seen(alice.id) : 'missing'));

    expect((await prober.ask(about('r.example.com/a:1', alice))).state).toBe('Available');
    expect(prober.known(about('r.example.com/a:1', bob))).toBeUndefined();
    expect(prober.known(about('r.example.com/a:1'))).toBeUndefined();
    expect((await prober.ask(about('r.example.com/a:1', bob))).state).toBe('NotFound');
    expect((await prober.ask(about('r.example.com/a:1', alice))).state).toBe('Available');
    expect(asked).toHaveLength(2);
  });

  test('seen with one of several credentials serves whoever holds that one', async () => {
    const { prober } = aProber(async () => seen(bob.id));

    await prober.ask(about('r.example.com/a:1', alice, bob));

    expect(prober.known(about('r.example.com/a:1', bob))?.state).toBe('Available');
    expect(prober.known(about('r.example.com/a:1', alice))).toBeUndefined();
  });

  test('that one credential was refused says nothing of two', async () => {
    const { prober } = aProber(fails('unauthorized'));

    await prober.ask(about('r.example.com/a:1', alice));

    expect(prober.known(about('r.example.com/a:1', alice, bob))).toBeUndefined();
  });

  test('from before the clock was set back counts no longer', async () => {
    const { prober, clock } = aProber(async () => seen());
    await prober.ask(about('r.example.com/a:1'));

    await clock.advance(-3_600_000);

    expect(prober.known(about('r.example.com/a:1'))).toBeUndefined();
  });
});

describe('a host nobody can connect to', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

  test.each([
    ['refused connections', fails('unreachable', refused)],
    ['a connection deep in the causes', fails('unreachable', new Error('fetch failed', { cause: refused }))],
    ['a connect time-out', fails('timeout', Object.assign(new Error('connect'), { code: 'UND_ERR_CONNECT_TIMEOUT' }))],
    ['a bad certificate', fails('tls')],
  ])('is not asked again for other images and tenants for a while: %s', async (_sentence, head) => {
    const { prober, clock, asked } = aProber(head);

    await prober.ask(about('r.example.com/a:1', alice));
    expect((await prober.ask(about('r.example.com/b:2', bob))).state).toBe('Unreachable');
    await prober.ask(about('other.example.com/b:2', bob));
    await clock.advance(3_000);
    await prober.ask(about('r.example.com/b:2', bob));

    expect(asked).toEqual(['r.example.com/a:1', 'other.example.com/b:2', 'r.example.com/b:2']);
  });

  test.each<[string, Head]>([
    ['a server error', fails('unreachable')],
    ['a slow answer', fails('timeout')],
    ['a refused credential', fails('unauthorized')],
    ['a quota', fails('throttled')],
  ])('is something else than %s, which is a fact about one image', async (_sentence, head) => {
    const { prober, asked } = aProber(head);

    await prober.ask(about('r.example.com/a:1'));
    await prober.ask(about('r.example.com/b:2'));

    expect(asked).toHaveLength(2);
  });
});

test('a flood of questions is bounded: what is too much counts as unavailable, and is not remembered', async () => {
  const { prober, clock, asked } = aProber(never);

  const flood = Array.from({ length: 300 }, (_, index) => prober.ask(about(`r${index}.example.com/a:1`)));
  await settled();
  expect(asked).toHaveLength(256);
  await clock.advance(1_000);
  const facts = await Promise.all(flood);

  expect(facts.filter(({ code }) => code === 'timeout')).toHaveLength(256);
  expect(facts.filter(({ message }) => message === 'too many probes are under way')).toHaveLength(44);
  expect(prober.known(about('r299.example.com/a:1'))).toBeUndefined();
});
