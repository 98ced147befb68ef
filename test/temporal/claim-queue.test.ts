import { describe, expect, test } from '@jest/globals';
import type { Claim, Wish } from '../../src/domain/claim.js';
import { Failure } from '../../src/domain/failure.js';
import type { PlaceId } from '../../src/domain/image-ref.js';
import { createClaimQueue, type ClaimQueue, type ClaimQueueOptions } from '../../src/temporal/claim-queue.js';
import { aClaim, days, hours, minutes, t0 } from '../support/keeper.js';

type Message = { readonly claim: Claim } | { readonly release: PlaceId; readonly generation: number; readonly purge?: boolean; readonly anew?: boolean };

const place = (name: string): PlaceId => `registry.example.com/mirror/${name}:1` as PlaceId;
const wishes = (...names: readonly string[]): Map<PlaceId, Wish> => new Map(names.map((name) => [place(name), { ...aClaim(), destination: place(name) }]));
const away = (): Failure => new Failure({ code: 'unreachable', side: 'cluster', message: 'no connection to temporal' });
const refused = (): Failure => new Failure({ code: 'invalid', side: 'cluster', message: 'temporal refuses' });

/** A queue with a clock of its own: it sleeps by moving it. */
class Bench {
  readonly sent: Message[] = [];
  readonly times: number[] = [];
  readonly errors: unknown[] = [];
  readonly orphans = new Set<PlaceId>();
  fails: ((destination: PlaceId) => Error | undefined) | undefined;
  now = t0;
  readonly queue: ClaimQueue;
  #end = Infinity;
  #afterSleep: () => void = () => undefined;

  constructor(options: Partial<ClaimQueueOptions> = {}) {
    let generation = 0;
    this.queue = createClaimQueue({
      client: {
        claim: async (claim) => {
          this.#take(claim.destination, { claim });
          return this.orphans.has(claim.destination) ? 'absent' : 'sent';
        },
        release: async (destination, release) => {
          this.#take(destination, { release: destination, generation: release.generation, ...(release.purge === true ? { purge: true } : {}), ...(release.anew === true ? { anew: true } : {}) });
          return this.orphans.has(destination) ? 'absent' : 'sent';
        },
      },
      cluster: 'berlin',
      generation: () => ++generation,
      now: () => this.now,
      sleep: (ms) => this.#sleep(ms),
      onError: (error) => this.errors.push(error),
      ...options,
    });
  }

  #take(destination: PlaceId, message: Message): void {
    const error = this.fails?.(destination);
    if (error !== undefined) throw error;
    this.sent.push(message);
    this.times.push(this.now - t0);
  }

  /** Lets the queue work until something is so. */
  async runUntil(isOver: () => boolean): Promise<void> {
    const stop = new AbortController();
    this.#afterSleep = () => isOver() && stop.abort();
    await this.queue.run(stop.signal);
  }

  async runFor(ms: number): Promise<void> {
    this.#end = this.now + ms;
    await this.runUntil(() => this.now >= this.#end);
    this.#end = Infinity;
  }

  async #sleep(ms: number): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.now += Math.min(ms, this.#end - this.now);
    this.#afterSleep();
  }

  names(): string[] {
    return this.sent.map((message) => ('claim' in message ? `claim ${message.claim.destination}` : `release ${message.release}`));
  }
}

test('a destination whose keeper is gone is claimed once more, and one that was released is not', async () => {
  const bench = new Bench();
  bench.queue.want(wishes('a', 'b'), []);
  await bench.runFor(minutes);
  bench.queue.want(wishes('a'), []);
  await bench.runFor(minutes);

  for (const name of ['a', 'b']) bench.queue.again(place(name));
  bench.queue.want(wishes('a'), [place('b')]);
  await bench.runFor(minutes);

  expect(bench.names().slice(2)).toEqual([`release ${place('b')}`, `claim ${place('a')}`]);
});

test('once the database of Temporal has lost something, each keeper hears so with the first message', async () => {
  const bench = new Bench();
  const pass = async (names: readonly string[], released: readonly string[], ms = minutes): Promise<string[]> => {
    const { length } = bench.sent;
    bench.queue.want(wishes(...names), released.map(place));
    await bench.runFor(ms);
    return bench.sent.slice(length).map((message) => ('claim' in message ? `${message.claim.destination} ${message.claim.anew}` : `${message.release} ${message.anew}`)).sort();
  };

  expect(await pass(['a'], ['b'])).toEqual([`${place('a')} undefined`, `${place('b')} undefined`]);
  bench.queue.forget('lost');
  expect(await pass(['a'], ['b'])).toEqual([`${place('a')} true`, `${place('b')} true`]);
  expect(await pass([], ['b'])).toEqual([`${place('a')} undefined`]);
  bench.queue.forget();
  expect(await pass(['a'], [])).toEqual([`${place('a')} undefined`]);
});

describe('the queue sends', () => {
  test('each wanted destination once, however often it is offered', async () => {
    const bench = new Bench();

    for (let pass = 0; pass < 3; pass++) {
      bench.queue.want(wishes('a', 'b'), []);
      await bench.runFor(minutes);
    }

    expect(bench.names().sort()).toEqual([`claim ${place('a')}`, `claim ${place('b')}`]);
    expect(bench.queue.size).toBe(0);
  });

  test('only the newest state of a destination that changed while it waited', async () => {
    const bench = new Bench();
    bench.queue.want(wishes('a'), []);
    bench.queue.want(new Map([[place('a'), { ...aClaim({ copy: 'all' }), destination: place('a') }]]), []);

    await bench.runFor(minutes);

    expect(bench.sent).toMatchObject([{ claim: { copy: 'all' } }]);
  });

  test('nothing for a destination that came and went while it waited, but a release', async () => {
    const bench = new Bench();
    bench.queue.want(wishes('a'), []);
    bench.queue.want(new Map(), []);

    await bench.runFor(minutes);

    expect(bench.names()).toEqual([`release ${place('a')}`]);
  });

  test('a release when a claimed destination is no longer wanted, and when a record says that a copy is ours', async () => {
    const bench = new Bench();
    bench.queue.want(wishes('a'), []);
    await bench.runFor(minutes);

    bench.queue.want(new Map(), [place('old')]);
    await bench.runFor(minutes);
    bench.queue.want(new Map(), [place('old')]);
    await bench.runFor(minutes);

    expect(bench.names().slice(1).sort()).toEqual([`release ${place('a')}`, `release ${place('old')}`]);
  });

  test('a purge that waits stays one when the record has lost the place meanwhile', async () => {
    const bench = new Bench();
    bench.queue.want(new Map(), [place('a')], new Set([place('a')]));
    bench.queue.want(new Map(), []);
    await bench.runFor(minutes);

    expect(bench.sent).toEqual([{ release: place('a'), generation: 1, purge: true }]);
  });

  test('a release that asks for a purge, also after one that did not, and says when it was taken', async () => {
    const bench = new Bench();
    bench.queue.want(new Map(), [place('a')]);
    expect(bench.queue.owes(place('a'))).toBe(true);
    await bench.runFor(minutes);
    expect(bench.queue.owes(place('a'))).toBe(false);

    bench.queue.want(new Map(), [place('a')], new Set([place('a')]));
    expect(bench.queue.owes(place('a'))).toBe(true);
    await bench.runFor(minutes);
    bench.queue.want(new Map(), [place('a')], new Set([place('a')]));
    await bench.runFor(minutes);

    expect(bench.sent).toEqual([{ release: place('a'), generation: 1 }, { release: place('a'), generation: 2, purge: true }]);
    expect(bench.queue.owes(place('never-heard-of'))).toBe(true);
  });

  test('a release that nobody was there for, and says so: that copy has no retention clock', async () => {
    const orphaned: PlaceId[] = [];
    const bench = new Bench({ onOrphan: (destination) => orphaned.push(destination) });
    bench.orphans.add(place('lost'));

    bench.queue.want(new Map(), [place('kept'), place('lost')]);
    await bench.runFor(minutes);

    expect(orphaned).toEqual([place('lost')]);
    expect(bench.queue.size).toBe(0);
  });

  test('again, as a renewal, a day later at most', async () => {
    const bench = new Bench();
    bench.queue.want(wishes('a'), []);
    await bench.runFor(minutes);

    bench.now = t0 + 18 * hours;
    bench.queue.want(wishes('a'), []);
    await bench.runFor(minutes);
    expect(bench.sent).toHaveLength(1);

    bench.now = t0 + days + minutes;
    bench.queue.want(wishes('a'), []);
    await bench.runFor(minutes);
    expect(bench.sent).toMatchObject([{ claim: { generation: 1 } }, { claim: { generation: 2, renewal: true } }]);
  });

  test('again, within a quarter of an hour, what nobody heard: whoever comes to keep the place is to know', async () => {
    const bench = new Bench();
    const wantAll = async (): Promise<void> => {
      bench.queue.want(wishes('a'), []);
      await bench.runFor(minutes);
    };
    bench.orphans.add(place('a'));
    await wantAll();
    await wantAll();
    expect(bench.sent).toHaveLength(1);

    bench.now = t0 + 15 * minutes;
    bench.orphans.clear();
    await wantAll();
    bench.now = t0 + 30 * minutes;
    await wantAll();

    expect(bench.sent).toMatchObject([{ claim: { generation: 1 } }, { claim: { generation: 2, renewal: true } }]);
  });

  test('everything again after a change of the leader', async () => {
    const bench = new Bench();
    bench.queue.want(wishes('a'), []);
    await bench.runFor(minutes);

    bench.queue.forget();
    bench.queue.want(wishes('a'), []);
    await bench.runFor(minutes);

    expect(bench.sent).toHaveLength(2);
  });
});

test('five thousand claims go out at thirty a second', async () => {
  const bench = new Bench();
  const names = Array.from({ length: 5000 }, (_, index) => `image-${index}`);
  bench.queue.want(wishes(...names), []);

  await bench.runUntil(() => bench.queue.size === 0);

  const seconds = (bench.times.at(-1)! - bench.times[0]!) / 1000;
  expect(bench.sent).toHaveLength(5000);
  expect(seconds).toBeGreaterThan(5000 / 30 - 5);
  expect(seconds).toBeLessThan(5000 / 30 + 10);
});

test('a destination waits two to five seconds, so that a rollout is one message', async () => {
  const bench = new Bench();
  bench.queue.want(wishes(...'abcdefgh'), []);

  await bench.runUntil(() => bench.queue.size === 0);

  expect(Math.min(...bench.times)).toBeGreaterThanOrEqual(2000);
  expect(Math.max(...bench.times)).toBeLessThanOrEqual(5100);
});

test('while temporal is away claims wait, and it is asked less and less often', async () => {
  const bench = new Bench();
  const asked: number[] = [];
  bench.fails = () => (asked.push(bench.now - t0), away());
  bench.queue.want(wishes('a'), []);
  await bench.runFor(10 * minutes);

  expect(bench.queue.size).toBe(1);
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.length).toBeLessThan(40);

  bench.fails = undefined;
  await bench.runFor(minutes);
  expect(bench.names()).toEqual([`claim ${place('a')}`]);
});

test('one claim that is refused for ever holds up nobody', async () => {
  const bench = new Bench();
  bench.fails = (destination) => (destination === place('bad') ? refused() : undefined);
  bench.queue.want(wishes('bad', 'a', 'b', 'c'), []);

  await bench.runFor(minutes);

  expect(bench.names().sort()).toEqual(['a', 'b', 'c'].map((name) => `claim ${place(name)}`));
});

test('a full queue leaves the rest to the next plan', async () => {
  const bench = new Bench({ mostWaiting: 2 });
  bench.queue.want(wishes('a', 'b', 'c'), []);
  expect(bench.queue.size).toBe(2);

  await bench.runFor(minutes);
  bench.queue.want(wishes('a', 'b', 'c'), []);
  await bench.runFor(minutes);

  expect(bench.names().sort()).toEqual(['a', 'b', 'c'].map((name) => `claim ${place(name)}`));
});

test('a claim names no Secret, and stays below two kilobytes whatever the rules are', async () => {
  const bench = new Bench();
  const many = Array.from({ length: 100 }, (_, index) => ({ kind: 'ImageSetMirror' as const, namespace: 'team', name: `rule-${index}`, uid: `uid-${index}` }));
  const wish = { ...aClaim({ rules: many }), destination: place('a'), mirror: { credentialSecret: { namespace: 'kuik', name: 'push' } } };
  bench.queue.want(new Map([[place('a'), wish]]), []);

  await bench.runFor(minutes);

  const text = JSON.stringify(bench.sent[0]);
  expect(text).not.toContain('push');
  expect(text.length).toBeLessThan(2048);
});

test.each([
  ['says where its clusters meet', true, { shared: true, connected: true, tombstoneMs: 10 * minutes }],
  ['says nothing of it where they do not', false, { shared: true }],
])('a claim for a shared mirror %s', async (_sentence, connected, said) => {
  const bench = new Bench({ connected, tombstoneMs: 10 * minutes });

  bench.queue.want(new Map([[place('a'), { ...aClaim({ shared: true }), destination: place('a') }]]), []);
  await bench.runUntil(() => bench.sent.length > 0);

  expect(bench.sent).toMatchObject([{ claim: said }]);
  expect('claim' in bench.sent[0]! && bench.sent[0].claim.connected).toBe(connected || undefined);
});
