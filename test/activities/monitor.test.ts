import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { ActivityCancellationDetails } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { CheckAccess } from '../../src/activities/monitor-credentials.js';
import { checked, createMonitorActivities, type CheckSettings, type MonitorDeps } from '../../src/activities/monitor.js';
import { Failure } from '../../src/domain/failure.js';
import { imageName, knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import type { TrackedImage } from '../../src/domain/monitor.js';
import type { ChecksReport, ChecksTask } from '../../src/domain/monitor-run.js';
import type { PlaceRecord } from '../../src/domain/record.js';
import type { MonitorActivities } from '../../src/temporal/activities.js';
import { sdkLogger } from '../../src/temporal/logger.js';
import type { Damage, FaultRegistry, FaultRegistryOptions } from '../support/fault-registry.js';
import { anImage, pushImage, single } from '../support/images.js';
import { aClient, aRegistryServer, closeAfterEach } from '../support/registry-client.js';
import { quiet } from '../support/temporal-lab.js';

closeAfterEach();

const image = anImage('app');
const { digest } = image.manifest;
const aFact = ({ checkedAt = new Date(Date.now()).toISOString() }: { checkedAt?: string }) => ({ state: 'Available' as const, checkedAt });

/** A registry, images tracked there, and records that are written down. */
class Bench {
  readonly server: FaultRegistry;
  readonly records = new Map<ImageName, PlaceRecord>();
  readonly beats: unknown[] = [];
  /** where a go takes all of its time: of one check, unless told */
  goMs = 10;
  #activities: MonitorActivities | undefined;
  settings: CheckSettings = { method: 'HEAD', timeoutMs: 30_000, resolveDigest: false };
  access: CheckAccess = { as: [] };
  /** called before each check */
  onAsk: () => void = () => undefined;
  tracked: readonly TrackedImage[];
  writeFails: ((record: ImageName) => Failure | undefined) | undefined;
  readonly #registry: MonitorDeps['registry'];

  constructor(server: FaultRegistry, registry: MonitorDeps['registry']) {
    this.server = server;
    this.#registry = registry;
    this.tracked = [this.image('app:1')];
  }

  static async open(options: FaultRegistryOptions = {}, ...names: readonly string[]): Promise<Bench> {
    const server = await aRegistryServer(options);
    const { registry } = aClient();
    const as = options.access === undefined || options.access.type === 'open' ? [] : [{ id: 'writer', username: 'kuik', password: 'right' }];
    for (const name of ['app:1', ...names]) await pushImage(registry, `${server.host}/${name}`, single(image), as);
    server.calm();
    return new Bench(server, aClient().registry);
  }

  image(name: string, rest: Partial<TrackedImage> = {}): TrackedImage {
    const ref = knownImageRef(`${this.server.host}/${name}`);
    return { image: imageName(ref), ref, by: ['main'], isChecked: true, original: true, records: [imageName(ref)], ...rest };
  }

  place(name = 'app:1'): PlaceRecord | undefined {
    return this.records.get(`${this.server.host}/${name}` as ImageName);
  }

  #activity(): MonitorActivities['checkBatch'] {
    this.#activities ??= createMonitorActivities({
      tracked: () => this.tracked,
      settings: () => this.settings,
      credentials: async () => this.access,
      registry: { head: (...args) => (this.onAsk(), this.#registry.head(...args)), manifest: (...args) => this.#registry.manifest(...args) },
      cluster: {
        changePlace: async (record, reference, manager, change) => {
          const failure = this.writeFails?.(record);
          if (failure !== undefined) throw failure;
          expect(manager).toBe('kuik-monitor');
          this.records.set(record, change(this.records.get(record) ?? { reference, role: 'origin' }));
          return 'changed';
        },
      },
      goMs: this.goMs,
    });
    return this.#activities.checkBatch;
  }

  environment(): MockActivityEnvironment {
    const env = new MockActivityEnvironment({}, { logger: sdkLogger(quiet) });
    env.on('heartbeat', (details: unknown) => this.beats.push(details));
    return env;
  }

  run(task: Partial<ChecksTask> = {}, env = this.environment()): Promise<ChecksReport> {
    const whole: ChecksTask = { v: 1, registry: this.server.host, intervalMs: 60_000, maxPerInterval: 1, ...task };
    return env.run<[ChecksTask], ChecksReport, MonitorActivities['checkBatch']>(this.#activity(), whole);
  }

  /** One go that its monitor calls off as soon as something is so. */
  async runUntil(isSo: () => boolean, task: Partial<ChecksTask> = {}): Promise<ChecksReport> {
    const env = this.environment();
    const going = this.run(task, env);
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
    env.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    return going;
  }
}

describe('one check', () => {
  test('of an image that is there: state, time, digest and whose credentials, and nothing of before', async () => {
    const bench = await Bench.open();
    bench.records.set(bench.tracked[0]!.image, { reference: bench.tracked[0]!.image, role: 'origin', state: 'NotFound', checkFailure: 'not found' });

    const report = await bench.run();

    expect(report).toMatchObject({ v: 1, places: 1, checked: 1, counts: { Available: 1 } });
    expect(bench.place()).toMatchObject({ state: 'Available', identity: 'anonymous', digest, checkFailure: undefined });
    expect(Date.now() - Date.parse(bench.place()?.checkedAt ?? '')).toBeLessThan(10_000);
    expect(bench.server.log()).toEqual(['HEAD manifest']);
  });

  test.each<[string, Damage, string, string]>([
    ['is throttled', { status: 429, headers: { 'retry-after': '120' } }, 'QuotaExceeded', '429'],
    ['answers, and says that nothing is left', { headers: { 'ratelimit-remaining': '0;w=21600' } }, 'QuotaExceeded', 'quota used up'],
    ['is not found', { status: 404 }, 'NotFound', 'not found on'],
    ['is refused with 401', { status: 401 }, 'InvalidAuth', '401'],
    ['is refused with 403', { status: 403 }, 'InvalidAuth', '403'],
    ['meets a server error', { status: 500 }, 'Unreachable', '500'],
    ['is not answered', { reset: true }, 'Unreachable', 'not served by'],
  ])('that %s', async (_sentence, does, state, message) => {
    const bench = await Bench.open();
    bench.server.fault({ on: { route: 'manifest' }, times: 10, does });

    const { counts } = await bench.run();

    expect(counts).toEqual({ [state]: 1 });
    expect(bench.place()).toMatchObject({ state, identity: 'anonymous', checkFailure: expect.stringContaining(message) as unknown });
  });

  const html = { status: 200, headers: { 'content-type': 'text/html', 'docker-content-digest': undefined }, body: '<html>please log in</html>' };
  test.each<[string, Damage, Damage, string]>([
    ['HEAD is not served, and GET is', { status: 405 }, {}, 'Available'],
    ['HEAD is refused as no part of it, and GET is served', { status: 501 }, {}, 'Available'],
    ['HEAD names no digest', { headers: { 'docker-content-digest': undefined } }, {}, 'Available'],
    ['HEAD has no length', { headers: { 'content-length': undefined } }, {}, 'Available'],
    ['HEAD is a page for people', html, {}, 'Available'],
    ['everything is a page for people', html, html, 'Unreachable'],
    ['neither is served', { status: 405 }, { status: 405 }, 'Unreachable'],
    ['GET, after a HEAD that says too little, finds nothing', { status: 405 }, { status: 404 }, 'NotFound'],
    ['GET, after a HEAD that says too little, is throttled', { status: 405 }, { status: 429 }, 'QuotaExceeded'],
    ['GET comes with bytes of something else', { status: 405 }, { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }, 'Unreachable'],
  ])('where %s', async (_sentence, head, get, state) => {
    const bench = await Bench.open();
    bench.server.fault({ on: { route: 'manifest', method: 'HEAD' }, times: 10, does: head }, { on: { route: 'manifest', method: 'GET' }, times: 10, does: get });

    await bench.run();

    expect(bench.place()).toMatchObject({ state, ...(state === 'Available' ? { digest } : {}) });
  });

  test('that is redirected is made where the registry sends it, without its credential', async () => {
    const bench = await Bench.open({ access: { type: 'basic', accounts: { kuik: 'right' } } });
    bench.access = { as: [{ id: 'abc', username: 'kuik', password: 'right' }] };
    bench.server.fault({ on: { route: 'manifest' }, from: 2, times: 10, does: { redirect: 'second' } });

    await bench.run();

    const elsewhere = bench.server.requests.filter(({ route }) => route === 'second');
    expect(elsewhere.length).toBeGreaterThan(0);
    expect(elsewhere.every(({ headers }) => headers['authorization'] === undefined)).toBe(true);
  });

  test('that takes longer than it may', async () => {
    const bench = await Bench.open();
    bench.settings = { ...bench.settings, timeoutMs: 100 };
    bench.server.fault({ on: { route: 'manifest' }, times: 10, does: { delayMs: 5_000 } });

    await bench.run();

    expect(bench.place()).toMatchObject({ state: 'Unreachable', checkFailure: expect.stringContaining('before the deadline') as unknown });
  });

  test.each([
    ['HEAD', ['HEAD manifest']],
    ['GET', ['GET manifest']],
  ] as const)('by %s asks so, also for what was read before', async (method, expected) => {
    const bench = await Bench.open();
    bench.settings = { ...bench.settings, method };
    bench.tracked = [bench.image(`app@${digest}`)];

    await bench.run({ intervalMs: 10 });
    await bench.run({ intervalMs: 10 });

    expect(bench.server.log()).toEqual([...expected, ...expected]);
  });

  test('of a pinned image asks for the digest, whatever its tag names', async () => {
    const bench = await Bench.open();
    bench.tracked = [bench.image(`app:9.9.9@${digest}`)];

    await bench.run();

    expect(bench.place(`app:9.9.9@${digest}`)).toMatchObject({ state: 'Available' });
    expect(bench.server.requests.map(({ path }) => path)).toEqual([`/v2/app/manifests/${digest}`]);
  });

  test('keeps the last digest of what does not answer', async () => {
    const known: PlaceRecord = { reference: 'a' as ImageName, state: 'Available', digest };

    expect(checked(known, { asked: true, state: 'Unreachable', identity: 'anonymous', failure: { code: 'timeout', side: 'source', message: 'm'.repeat(999) } }, 'now')).toMatchObject({ digest, checkFailure: 'm'.repeat(256) });
  });
});

describe('the digest step', () => {
  const second = { route: 'manifest', path: 'sha256:' } as const;
  test.each<[string, CheckSettings['method'], Damage, string]>([
    ['is well', 'HEAD', {}, 'Available'],
    ['finds that tag and digest disagree', 'HEAD', { status: 404 }, 'NotFound'],
    ['finds the same by GET', 'GET', { status: 404 }, 'NotFound'],
    ['is no matter where HEAD by digest is not supported', 'HEAD', { status: 405 }, 'Available'],
    ['is one where GET by digest is not supported', 'GET', { status: 501 }, 'Unreachable'],
    ['is throttled', 'HEAD', { status: 429 }, 'QuotaExceeded'],
  ])('%s', async (_sentence, method, does, state) => {
    const bench = await Bench.open();
    bench.settings = { ...bench.settings, method, resolveDigest: true };
    bench.server.fault({ on: second, times: 10, does });

    await bench.run();

    expect(bench.place()).toMatchObject({ state });
    if (state === 'NotFound') expect(bench.place()?.checkFailure).toContain('tag and digest disagree');
  });
});

describe('credentials', () => {
  const access = { type: 'basic', accounts: { kuik: 'right' } } as const;
  test('that fit are named in what was seen', async () => {
    const bench = await Bench.open({ access });
    bench.access = { as: [{ id: 'abc', username: 'kuik', password: 'right' }] };

    await bench.run();

    expect(bench.place()).toMatchObject({ state: 'Available', identity: 'abc' });
  });

  test('that are wrong make it InvalidAuth', async () => {
    const bench = await Bench.open({ access });
    bench.access = { as: [{ id: 'abc', username: 'kuik', password: 'wrong' }] };

    await bench.run();

    expect(bench.place()).toMatchObject({ state: 'InvalidAuth', identity: 'abc' });
    expect(JSON.stringify([...bench.records.values()])).not.toContain('wrong');
  });

  test('that are changed in the middle of a go count from the next check on', async () => {
    const bench = await Bench.open({ access }, 'app:2');
    bench.goMs = 1_000;
    bench.tracked = [bench.image('app:1'), bench.image('app:2')];
    bench.access = { as: [{ id: 'old', username: 'kuik', password: 'wrong' }] };

    const going = bench.runUntil(() => bench.place('app:2') !== undefined, { intervalMs: 100 });
    while (bench.place() === undefined) await new Promise((resolve) => setTimeout(resolve, 2));
    bench.access = { as: [{ id: 'new', username: 'kuik', password: 'right' }] };
    await going;

    expect(bench.place('app:2')).toMatchObject({ state: 'Available', identity: 'new' });
  });

  test('that cannot be read make it UnavailableSecret, and say which', async () => {
    const bench = await Bench.open({ access });
    bench.access = { as: [], problem: 'secret shop/pull not found' };

    await bench.run();

    expect(bench.place()).toMatchObject({ state: 'UnavailableSecret', identity: 'anonymous', checkFailure: 'secret shop/pull not found' });
  });

  test('that cannot be read are no matter where nobody asks for any', async () => {
    const bench = await Bench.open();
    bench.access = { as: [], problem: 'secret shop/pull not found' };

    await bench.run();

    expect(bench.place()).toMatchObject({ state: 'Available', checkFailure: undefined });
  });
});

describe('one go', () => {
  const everythingButDate = ['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const;
  afterEach(() => void jest.useRealTimers());
  const fast = { intervalMs: 1_000, maxPerInterval: 20 }; // a tick of 50 ms

  test('checks each place, evenly spread, and says when the next may begin', async () => {
    const bench = await Bench.open({}, 'app:2', 'app:3');
    bench.goMs = 150;
    bench.tracked = ['app:1', 'app:2', 'app:3'].map((name) => bench.image(name));
    const started = Date.now();

    const report = await bench.run(fast);

    expect(report).toMatchObject({ places: 3, checked: 3, counts: { Available: 3 } });
    expect(Date.now() - started).toBeGreaterThanOrEqual(95);
    expect(report.nextDelayMs).toBeLessThanOrEqual(50);
  });

  test('of a slow pace is one check, of what is next', async () => {
    const bench = await Bench.open({}, 'app:2');
    const checkedAt = '2026-11-20T12:00:00Z';
    bench.tracked = [bench.image('app:1', { seen: aFact({ checkedAt }) }), bench.image('app:2')];

    const report = await bench.run({ intervalMs: 3_600_000, maxPerInterval: 6 });

    expect(report).toMatchObject({ places: 2, checked: 1, counts: { Available: 2 } });
    expect([...bench.records.keys()]).toEqual([bench.image('app:2').image]);
    expect(report.nextDelayMs).toBeGreaterThan(9 * 60_000);
  });

  test('begins with what somebody asked for', async () => {
    const bench = await Bench.open({}, 'app:2');
    bench.tracked = [bench.image('app:1'), bench.image('app:2', { seen: aFact({}) })];

    await bench.run({ asked: [bench.image('app:2').image, 'somebody/wrote:nonsense'] });

    expect([...bench.records.keys()]).toEqual([bench.image('app:2').image]);
  });

  test('of a slow pace is one check, of what fails and is in use, though another was checked before it', async () => {
    const bench = await Bench.open({}, 'app:2');
    const seen = (state: 'Available' | 'NotFound', agoMs: number): Partial<TrackedImage> => ({ seen: { state, identity: 'anonymous', checkedAt: new Date(Date.now() - agoMs).toISOString() } });
    bench.tracked = [bench.image('app:1', seen('Available', 3 * 3_600_000)), bench.image('app:2', seen('NotFound', 2 * 3_600_000))];

    const report = await bench.run({ intervalMs: 3_600_000 });

    expect([...bench.records.keys()]).toEqual([bench.image('app:2').image]);
    expect(report).toMatchObject({ counts: { Available: 2 }, turns: 2 });
  });

  test('checks whichever is next, when nothing is named', async () => {
    const bench = await Bench.open({}, 'app:2');
    bench.tracked = [bench.image('app:1', { seen: { ...aFact({}), identity: 'anonymous' } }), bench.image('app:2')];

    await bench.run({ intervalMs: 3_600_000, asked: [] });

    expect([...bench.records.keys()]).toEqual([bench.image('app:2').image]);
  });

  test.each([
    ['is none while the last check is less than a tick ago, whoever made it', { identity: 'anonymous' }, 0],
    ['is not held up by what a copy saw', {}, 1],
  ])('%s', async (_sentence, identity, checks) => {
    const bench = await Bench.open({}, 'app:2');
    bench.tracked = [bench.image('app:1'), bench.image('app:2', { seen: { ...aFact({}), ...identity } })];

    const report = await bench.run({ intervalMs: 3_600_000, maxPerInterval: 6 });

    expect(report).toMatchObject({ places: 2, checked: checks });
    expect(bench.server.requests).toHaveLength(checks);
    expect(report.nextDelayMs).toBeGreaterThan(599_000);
  });

  test('is over after a minute, however many would have their turns: each answer may take long', async () => {
    const names = Array.from({ length: 10 }, (_, at) => `app:${at}`);
    const bench = await Bench.open({}, ...names);
    bench.tracked = names.map((name) => bench.image(name));
    jest.useFakeTimers({ now: Date.now(), doNotFake: [...everythingButDate] });
    bench.onAsk = () => jest.setSystemTime(Date.now() + 20_000);

    bench.goMs = 60_000;
    const report = await bench.run({ intervalMs: 1_000, maxPerInterval: 100 });

    expect(report).toMatchObject({ places: 10, checked: 3 });
  });

  test.each([
    ['one place', ['app:1'], [100]],
    ['three places', ['app:1', 'app:2', 'app:3'], [34, 33, 33]],
  ])('of a fast pace takes its minute of turns, shared by %s', async (_sentence, names, shares) => {
    const bench = await Bench.open({}, ...names);
    bench.goMs = 60_000;
    bench.tracked = names.map((name) => bench.image(name));
    jest.useFakeTimers({ now: Date.now(), doNotFake: [...everythingButDate] });
    bench.onAsk = () => jest.setSystemTime(Date.now() + 600);

    const report = await bench.run({ intervalMs: 600_000, maxPerInterval: 1000 });

    expect(report).toMatchObject({ places: names.length, checked: 100, counts: { Available: names.length } });
    expect(names.map((name) => bench.server.requests.filter(({ path }) => path.endsWith(`/${name.slice(-1)}`)).length)).toEqual(shares);
  });

  test('has as many turns as fall into its time, with one place and some seconds between them, too', async () => {
    const bench = await Bench.open();
    bench.goMs = 12_500;

    const report = await bench.run({ intervalMs: 6_000 });

    expect(report).toMatchObject({ places: 1, checked: 2 });
    expect(report.nextDelayMs).toBeGreaterThan(5_000);
  }, 20_000);

  test('gives nobody a second turn that is not within its minute: the wait is the workflow\'s', async () => {
    const bench = await Bench.open({}, 'app:2');
    bench.goMs = 60_000;
    bench.tracked = [bench.image('app:1')];

    const report = await bench.run({ intervalMs: 31_000 });

    expect(report).toMatchObject({ places: 1, checked: 1 });
    expect(report.nextDelayMs).toBeGreaterThan(30_000);
  });

  test('minds what comes and what goes in the middle, a few seconds later', async () => {
    const bench = await Bench.open({}, 'app:2');
    bench.goMs = 60_000;
    jest.useFakeTimers({ now: Date.now(), doNotFake: [...everythingButDate] });
    bench.onAsk = () => {
      jest.setSystemTime(Date.now() + 1_000);
      const asked = bench.server.requests.length + 1;
      if (asked === 10) bench.tracked = [bench.image('app:2')];
      if (asked === 30) bench.tracked = [];
    };

    const report = await bench.run({ intervalMs: 1_000, maxPerInterval: 1 });

    expect(report).toMatchObject({ places: 0, counts: {} });
    expect(report.checked).toBeGreaterThanOrEqual(30);
    expect(report.checked).toBeLessThanOrEqual(35);
    const seconds = bench.server.requests.filter(({ path }) => path.endsWith('/2')).length;
    expect(seconds).toBeGreaterThanOrEqual(15);
    expect(bench.server.requests.slice(15).every(({ path }) => path.endsWith('/2'))).toBe(true);
  });

  test('that its monitor calls off tells what it did, and what it was asking is next again', async () => {
    const bench = await Bench.open({}, 'app:2');
    bench.goMs = 60_000;
    bench.tracked = [bench.image('app:1'), bench.image('app:2')];
    bench.server.fault({ on: { route: 'manifest' }, from: 2, times: 1, does: { delayMs: 60_000 } });

    const report = await bench.runUntil(() => bench.server.requests.length === 2, fast);
    await bench.runUntil(() => bench.records.size === 2, fast);

    expect(report).toMatchObject({ places: 2, checked: 1, counts: { Available: 1, Scheduled: 1 } });
    expect(report).not.toHaveProperty('throttled');
    expect(bench.server.requests.slice(0, 3).map(({ path }) => path.slice(-1))).toEqual(['1', '2', '2']);
  });

  test('that somebody asked for is only that, and out of turn: others may ask for more', async () => {
    const bench = await Bench.open({}, 'app:2');
    bench.goMs = 60_000;
    bench.tracked = [bench.image('app:1'), bench.image('app:2')];

    const report = await bench.run({ ...fast, asked: [bench.image('app:2').image] });
    const nothing = await bench.run({ ...fast, asked: ['somebody/wrote:nonsense'] });

    expect(report).toMatchObject({ places: 2, checked: 1, counts: { Available: 1, Scheduled: 1 } });
    expect(nothing).toMatchObject({ places: 2, checked: 0 });
    expect(bench.server.requests).toHaveLength(1);
  });

  test('is left off when the registry asks for it, which counts for the next one', async () => {
    const bench = await Bench.open({}, 'app:2');
    bench.goMs = 1_000;
    bench.tracked = [bench.image('app:1'), bench.image('app:2')];
    bench.server.fault({ on: { route: 'manifest' }, times: 10, does: { status: 429, headers: { 'retry-after': '1800' } } });

    const report = await bench.run(fast);

    expect(report).toMatchObject({ checked: 1, throttled: true, counts: { QuotaExceeded: 1, Scheduled: 1 }, nextDelayMs: 1_800_000 });
    expect(bench.server.requests).toHaveLength(1);
  });

  test('is left off for as long as a registry says that serves nobody, and what it said stands', async () => {
    const bench = await Bench.open({}, 'app:2');
    bench.goMs = 1_000;
    bench.tracked = [bench.image('app:1'), bench.image('app:2')];
    bench.server.fault({ on: { route: 'manifest' }, times: 10, does: { status: 503, headers: { 'retry-after': '600' } } });

    const report = await bench.run(fast);

    expect(report).toMatchObject({ checked: 1, throttled: true, counts: { Unreachable: 1, Scheduled: 1 } });
    expect(report.nextDelayMs).toBe(600_000);
    expect(bench.server.requests).toHaveLength(1);
    expect(bench.place()).toMatchObject({ state: 'Unreachable', checkFailure: expect.stringContaining('503') as unknown });
  });

  test('goes on where a host does not answer at all, however long it is left alone: each image is said to be out of reach', async () => {
    const names = Array.from({ length: 12 }, (_, at) => `app:${at}`);
    const bench = await Bench.open();
    bench.tracked = names.map((name) => bench.image(name));
    bench.server.fault({ on: { route: 'manifest' }, times: 1000, does: { reset: true } });

    bench.goMs = 60_000;
    const report = await bench.runUntil(() => bench.records.size === 12, { intervalMs: 1_000, maxPerInterval: 1000 });

    expect(report).toMatchObject({ counts: { Unreachable: 12 } });
    expect(report.throttled).toBeUndefined();
    expect(report.nextDelayMs).toBeLessThanOrEqual(1);
  });

  test('writes nothing about an image that was not asked for, since the registry wants to be left alone', async () => {
    const bench = await Bench.open();
    bench.server.fault({ on: { route: 'manifest' }, times: 1, does: { status: 429, headers: { 'retry-after': '1800' } } });
    await bench.run({ intervalMs: 10 });
    bench.records.clear();

    const report = await bench.run({ intervalMs: 10 });

    expect(report).toMatchObject({ throttled: true });
    expect(report.nextDelayMs).toBeGreaterThan(1_790_000);
    expect(bench.records.size).toBe(0);
    expect(bench.server.requests).toHaveLength(1);
  });

  test('tells what it did when its worker shuts down in the middle, and says nothing of what it was asking', async () => {
    const bench = await Bench.open({}, 'app:2', 'app:3');
    bench.goMs = 1_000;
    bench.tracked = ['app:1', 'app:2', 'app:3'].map((name) => bench.image(name));
    bench.server.fault({ on: { route: 'manifest' }, from: 2, does: { delayMs: 60_000 } });
    const env = bench.environment();

    const going = bench.run(fast, env);
    while (bench.server.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    env.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));

    expect(await going).toMatchObject({ places: 3, checked: 1, counts: { Available: 1, Scheduled: 2 } });
    expect([...bench.records.keys()]).toEqual([bench.image('app:1').image]);
  });

  test('tells how much of what somebody asked for it did not come to when its worker shuts down in the middle', async () => {
    const names = ['app:1', 'app:2', 'app:3', 'app:4'];
    const bench = await Bench.open({}, ...names);
    bench.goMs = 60_000;
    bench.tracked = names.map((name) => bench.image(name));
    bench.server.fault({ on: { route: 'manifest' }, from: 2, does: { delayMs: 60_000 } });
    const env = bench.environment();
    const asked = ['app:4', 'somebody/wrote:nonsense', 'app:2', 'app:1', 'app:3'].map((name) => (name.startsWith('app') ? bench.image(name).image : name));

    const going = bench.run({ ...fast, asked }, env);
    while (bench.server.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    env.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));

    expect(await going).toMatchObject({ checked: 1, unmade: 3 });
    expect([...bench.records.keys()]).toEqual([bench.image('app:4').image]);
  });

  test.each<[string, readonly string[], number]>([
    ['two', ['app:1', 'app:2'], 2],
    ['whichever is next', [], 1],
  ])('tells that nothing of what somebody asked for had a turn before its deadline: %s', async (_sentence, names, unmade) => {
    const bench = await Bench.open({}, 'app:2');
    bench.tracked = [bench.image('app:1'), bench.image('app:2')];
    bench.onAsk = () => {
      throw new Failure({ code: 'timeout', side: 'source', message: 'no turn before the deadline', isUnasked: true });
    };

    const report = await bench.run({ asked: names.map((name) => bench.image(name).image) });

    expect(report).toMatchObject({ checked: 0, unmade });
    expect(report.throttled).toBeUndefined();
    expect(bench.records.size).toBe(0);
  });

  test('of what somebody asked for is over after a minute, too, and tells what it did not come to', async () => {
    const names = ['app:1', 'app:2', 'app:3', 'app:4'];
    const bench = await Bench.open({}, ...names);
    bench.goMs = 60_000;
    bench.tracked = names.map((name) => bench.image(name));
    jest.useFakeTimers({ now: Date.now(), doNotFake: [...everythingButDate] });
    bench.onAsk = () => jest.setSystemTime(Date.now() + 30_000);

    const report = await bench.run({ asked: names.map((name) => bench.image(name).image) });

    expect(report).toMatchObject({ checked: 2, unmade: 2 });
  });

  test('of what somebody asked for tells what it did before one could not be written down: that one, then, is first and is a failure', async () => {
    const names = ['app:1', 'app:2', 'app:3'];
    const bench = await Bench.open({}, ...names);
    bench.goMs = 60_000;
    bench.tracked = names.map((name) => bench.image(name));
    bench.writeFails = (record) => (record.endsWith('app:2') ? new Failure({ code: 'unreachable', side: 'cluster', message: 'no connection to the api server' }) : undefined);
    const asked = names.map((name) => bench.image(name).image);

    expect(await bench.run({ asked })).toMatchObject({ checked: 1, unmade: 2 });
    await expect(bench.run({ asked: asked.slice(1) })).rejects.toMatchObject({ code: 'unreachable', side: 'cluster' });
  });

  test.each<[string, readonly string[]]>([
    ['of what is not tracked', ['somebody/wrote:nonsense']],
    ['of whichever is next, where there is nothing', []],
  ])('has nothing left %s', async (_sentence, asked) => {
    const bench = await Bench.open();
    bench.tracked = [];

    expect(await bench.run({ asked })).not.toHaveProperty('unmade');
  });

  test('ends when its monitor was terminated, and says nothing of what it was asking', async () => {
    const bench = await Bench.open();
    bench.server.fault({ on: { route: 'manifest' }, does: { delayMs: 60_000 } });
    const env = bench.environment();

    const going = bench.run(fast, env);
    while (bench.server.requests.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    env.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true }));

    await expect(going).rejects.toMatchObject({ name: 'CancelledFailure' });
    expect(bench.records.size).toBe(0);
  });

  test.each([
    ['at a slow pace', { intervalMs: 3_600_000, maxPerInterval: 6 }],
    ['at a fast pace', fast],
  ])('does not wait for a clock that was set back, %s', async (_sentence, pace) => {
    const bench = await Bench.open({}, 'app:2');
    const inTwoHours = new Date(Date.now() + 2 * 3_600_000).toISOString();
    bench.tracked = [bench.image('app:1'), bench.image('app:2', { seen: { ...aFact({ checkedAt: inTwoHours }), identity: 'anonymous' } })];

    const { checked: made } = await bench.run(pace);

    expect(made).toBeGreaterThan(0);
    expect(bench.place()).toMatchObject({ state: 'Available' });
  });

  test('minds a check of a moment ago beside a record of a clock that was set back', async () => {
    const bench = await Bench.open({}, 'app:2', 'app:3');
    const at = (ms: number) => ({ seen: { ...aFact({ checkedAt: new Date(Date.now() + ms).toISOString() }), identity: 'anonymous' } });
    bench.tracked = [bench.image('app:1'), bench.image('app:2', at(2 * 3_600_000)), bench.image('app:3', at(-1_000))];

    const report = await bench.run({ intervalMs: 3_600_000, maxPerInterval: 6 });

    expect(report.checked).toBe(0);
    expect(report.nextDelayMs).toBeGreaterThan(590_000);
    expect(report.nextDelayMs).toBeLessThanOrEqual(600_000);
  });

  test('is a failure when nothing can be written down: nobody looked', async () => {
    const bench = await Bench.open();
    bench.writeFails = () => new Failure({ code: 'unreachable', side: 'cluster', message: 'no connection to the api server' });

    await expect(bench.run()).rejects.toMatchObject({ code: 'unreachable', side: 'cluster' });
  });

  test('costs no image its turn while the API server is away: it is next again', async () => {
    const bench = await Bench.open({}, 'app:2');
    bench.goMs = 1_000;
    bench.tracked = [bench.image('app:1'), bench.image('app:2')];
    bench.writeFails = () => new Failure({ code: 'unreachable', side: 'cluster', message: 'no connection to the api server' });
    await expect(bench.run({ intervalMs: 10 })).rejects.toMatchObject({ code: 'unreachable' });
    bench.writeFails = undefined;

    await bench.runUntil(() => bench.records.size === 2, { intervalMs: 10 });

    expect([...bench.records.keys()]).toEqual(['app:1', 'app:2'].map((name) => bench.image(name).image));
  });

  test('lets the others have their turns when only one record meets an API server that is away', async () => {
    const bench = await Bench.open({}, 'app:2');
    bench.goMs = 1_000;
    bench.tracked = [bench.image('app:1'), bench.image('app:2')];
    bench.writeFails = (record) => (record.endsWith('app:1') ? new Failure({ code: 'unreachable', side: 'cluster', message: 'server error 500' }) : undefined);

    for (let go = 0; go < 6; go++) await expect(bench.run({ intervalMs: 10 })).rejects.toMatchObject({ code: 'unreachable' });
    expect(bench.records.size).toBe(0);
    await expect(bench.run({ intervalMs: 10 })).rejects.toMatchObject({ code: 'unreachable' }); // after the other one

    expect([...bench.records.keys()]).toEqual([bench.image('app:2').image]);
  });

  test('is not that of an image whose record cannot be written, time and again: the others have their turns', async () => {
    const bench = await Bench.open({}, 'app:2');
    bench.goMs = 1_000;
    bench.tracked = [bench.image('app:1'), bench.image('app:2')];
    bench.writeFails = (record) => (record.endsWith('app:1') ? new Failure({ code: 'invalid', side: 'cluster', message: 'the record is too large' }) : undefined);

    await expect(bench.run()).rejects.toMatchObject({ code: 'invalid' });
    await expect(bench.run({ intervalMs: 10 })).rejects.toMatchObject({ code: 'invalid' }); // after the other one

    expect([...bench.records.keys()]).toEqual([bench.image('app:2').image]);
  });

  test('with nothing to check says so', async () => {
    const bench = await Bench.open();
    bench.tracked = [];

    expect(await bench.run()).toEqual({ v: 1, places: 0, turns: 0, checked: 0, counts: {}, nextDelayMs: 0 });
  });

  test('waits for the record of an image, and does not take it for nothing', async () => {
    const bench = await Bench.open();
    bench.tracked = [bench.image('app:1', { records: [] })];

    expect(await bench.run()).toEqual({ v: 1, places: 1, turns: 0, checked: 0, counts: {}, nextDelayMs: 5_000 });
    expect(bench.server.requests).toEqual([]);
  });

  test('tells each record that has the place, and beats how far it came', async () => {
    const bench = await Bench.open();
    bench.tracked = [bench.image(`app@${digest}`), bench.image(`app:1@${digest}`)];

    await bench.run();

    expect([...bench.records.values()].map(({ state, reference }) => `${state} ${reference}`)).toEqual(Array.from({ length: 2 }, () => `Available ${bench.server.host}/app@${digest}`));
    expect(bench.beats.at(-1)).toMatchObject({ checked: 1 });
    expect(JSON.stringify(bench.beats)).not.toContain('app');
  });
});
