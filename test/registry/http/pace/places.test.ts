import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LaneLimit } from '../../../../src/registry/http/pace/lane-limit.js';
import { Place } from '../../../../src/registry/http/pace/place.js';
import { PriorityQueue } from '../../../../src/registry/http/pace/priority-queue.js';
import { priorities, priorityOf, type Priority } from '../../../../src/registry/http/pace/priority.js';
import { TokenBucket } from '../../../../src/registry/http/pace/token-bucket.js';
import { FakeTime, settle } from '../../../support/fake-time.js';

const never = new AbortController().signal;
const anyPriority = fc.constantFrom(...priorities);

describe('who goes first', () => {
  test.each([
    ['a probe', { purpose: 'probe' }, false, 'probe'],
    ['reading a tag back', { purpose: 'verify' }, false, 'publish'],
    ['putting the manifest of a copy', { purpose: 'copy' }, true, 'publish'],
    ['a copy that a Pod waits for', { purpose: 'copy', urgency: 'waiting' }, false, 'waiting'],
    ['any other copy', { purpose: 'copy', urgency: 'normal' }, false, 'copy'],
    ['a copy nobody says more of', { purpose: 'copy' }, false, 'copy'],
    ['a check', { purpose: 'check' }, false, 'check'],
    ['a deletion', { purpose: 'delete' }, false, 'delete'],
    ['putting a manifest aside before a deletion', { purpose: 'delete' }, true, 'delete'],
  ] as const)('%s', (_sentence, call, isPublishing, expected) => {
    expect(priorityOf(call, isPublishing)).toBe(expected);
  });

  test('nobody starves: whoever waits is chosen after at most ten turns for each who came before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyPriority, { minLength: 1, maxLength: 40 }), fc.infiniteStream(anyPriority), async (first, later) => {
        const queue = new PriorityQueue();
        const came = first.map((priority) => queue.wait(priority, never));
        const left = new Set(came.keys());
        came.forEach((turn, position) => void turn.then(() => left.delete(position)));

        // a new one arrives for every one that goes, for ever
        for (let turn = 0; turn < first.length * 10; turn++) {
          void queue.wait(later.next().value as Priority, never);
          queue.next();
        }
        await settle();

        expect([...left]).toEqual([]);
      }),
    );
  });

  test('between equals it is who came first', async () => {
    const queue = new PriorityQueue();
    const order: number[] = [];
    for (const position of [0, 1, 2]) void queue.wait('check', never).then(() => order.push(position));

    while (queue.next());
    await settle();

    expect(order).toEqual([0, 1, 2]);
  });
});

/** Somebody with a place, or waiting for one. */
interface Guest {
  readonly stop: AbortController;
  readonly place: Place;
  state: 'waiting' | 'inside' | 'gone';
}

describe('places of a lane', () => {
  const step = fc.oneof(
    fc.record({ does: fc.constant('come' as const), priority: anyPriority }),
    fc.record({ does: fc.constantFrom('leave' as const, 'abort' as const, 'step out' as const), who: fc.nat(30) }),
    fc.record({ does: fc.constantFrom('succeed' as const, 'refuse' as const) }),
  );

  test('there are never more inside than the ceiling, and no place is lost, whoever aborts when', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 120 }), async (ceiling, steps) => {
        const lane = new LaneLimit(ceiling);
        const guests: Guest[] = [];
        for (const each of steps) {
          if (each.does === 'come') come(guests, lane, each.priority);
          else if ('who' in each) go(guests[each.who], each.does);
          else if (each.does === 'refuse') lane.refused();
          else for (let time = 0; time < 20; time++) lane.succeeded();
          await Promise.resolve();
          expect(lane.busy).toBeLessThanOrEqual(ceiling);
          expect(lane.limit).toBeGreaterThanOrEqual(1);
        }
        await settle();
        expect(lane.busy).toBe(guests.filter(({ state }) => state === 'inside').length);

        for (const guest of guests) go(guest, 'leave');
        await settle();
        for (const guest of guests) go(guest, 'leave');
        await settle();

        expect({ busy: lane.busy, waiting: lane.queue.length }).toEqual({ busy: 0, waiting: 0 });
      }),
    );
  });

  test('one burst of refusals halves the limit once, the next burst again', async () => {
    const lane = new LaneLimit(16);
    const burst = async (): Promise<void> => {
      const leave = await Promise.all(Array.from({ length: lane.limit }, () => lane.enter('copy', never)));
      leave.forEach(() => lane.refused());
      for (const each of leave) each();
    };
    expect(lane.limit).toBe(8);

    await burst();
    expect(lane.limit).toBe(4);
    await burst();
    expect(lane.limit).toBe(2);
  });

  test('until the first refusal every success opens a place, up to the ceiling; after it twenty do', () => {
    const lane = new LaneLimit(16);
    const succeed = (times: number): number => {
      for (let time = 0; time < times; time++) lane.succeeded();
      return lane.limit;
    };
    expect([succeed(3), succeed(3), succeed(100)]).toEqual([11, 14, 16]);

    lane.refused();

    expect([lane.limit, succeed(19), succeed(1), succeed(19), succeed(1)]).toEqual([8, 8, 9, 9, 10]);
  });

  test('a place is given to others while its holder steps out, and taken again by turn', async () => {
    const lane = new LaneLimit(1);
    const place = new Place(lane, 'copy', never);
    await place.enter();
    const order: string[] = [];

    const stepping = place.outside(async () => {
      const leave = await lane.enter('check', never);
      order.push('check');
      leave();
    });
    await stepping;
    order.push('copy');

    expect(order).toEqual(['check', 'copy']);
    expect(lane.busy).toBe(1);
    place.leave();
    place.leave();
    expect(lane.busy).toBe(0);
  });
});

function come(guests: Guest[], lane: LaneLimit, priority: Priority): void {
  const stop = new AbortController();
  const guest: Guest = { stop, place: new Place(lane, priority, stop.signal), state: 'waiting' };
  guests.push(guest);
  guest.place.enter().then(
    () => void (guest.state === 'waiting' && (guest.state = 'inside')),
    () => void (guest.state = 'gone'),
  );
}

function go(guest: Guest | undefined, how: 'leave' | 'abort' | 'step out'): void {
  if (guest === undefined) return;
  if (how === 'abort') {
    // as a caller does: whoever is inside leaves, whoever waits stops waiting
    guest.stop.abort(new Error('enough'));
    guest.place.leave();
    guest.state = 'gone';
  } else if (how === 'leave') {
    guest.place.leave();
    guest.state = 'gone';
  } else if (guest.state === 'inside') {
    guest.state = 'waiting';
    guest.place.outside(() => Promise.resolve()).then(
      () => void (guest.state === 'waiting' && (guest.state = 'inside')),
      () => void (guest.state = 'gone'),
    );
  }
}

describe('a rate', () => {
  test('lets a burst go at once, and then so many a second, by priority', async () => {
    const time = new FakeTime();
    const bucket = new TokenBucket(2, 3, time);
    const gone: string[] = [];
    const ask = (name: string, priority: Priority): void => void bucket.take(priority, never).then(() => gone.push(name));

    for (const name of ['one', 'two', 'three', 'four', 'five']) ask(name, 'check');
    ask('probe', 'probe');
    await time.pass(0);
    expect(gone).toEqual(['one', 'two', 'three']);
    await time.pass(500);
    expect(gone).toEqual(['one', 'two', 'three', 'probe']);
    await time.pass(1000);

    expect(gone).toEqual(['one', 'two', 'three', 'probe', 'four', 'five']);
    expect(time.sleeping).toBe(0);
  });

  test('who stops waiting takes nothing, and the timer goes with the last of them', async () => {
    const time = new FakeTime();
    const bucket = new TokenBucket(1, 1, time);
    await bucket.take('copy', never);
    const stop = new AbortController();
    const waiting = bucket.take('copy', stop.signal);
    await settle();
    expect(time.sleeping).toBe(1);

    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await settle();

    expect(time.sleeping).toBe(0);
    await time.pass(1000);
    await expect(bucket.take('copy', never)).resolves.toBeUndefined();
  });

  test('is never exceeded, whoever comes and goes', async () => {
    const plan = fc.array(fc.record({ afterMs: fc.nat(400), priority: anyPriority, isAborted: fc.boolean() }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5 }), plan, async (perSecond, burst, visits) => {
        const time = new FakeTime();
        const start = time.now();
        const bucket = new TokenBucket(perSecond, burst, time);
        const goneAt: number[] = [];
        for (const { afterMs, priority, isAborted } of visits) {
          const stop = new AbortController();
          bucket.take(priority, stop.signal).then(() => goneAt.push(time.now() - start), () => undefined);
          await time.pass(afterMs);
          if (isAborted) stop.abort(new Error('enough'));
        }
        await time.pass((visits.length * 1000) / perSecond + 1000);

        for (const [position, at] of goneAt.entries()) expect(position + 1).toBeLessThanOrEqual(burst + (at * perSecond) / 1000 + 1e-6);
        expect({ waiting: bucket.queue.length, timers: time.sleeping }).toEqual({ waiting: 0, timers: 0 });
      }),
      { numRuns: 40 },
    );
  });

  test('a clock that is set back gives nothing away and holds nobody for ever', async () => {
    const time = new FakeTime();
    const bucket = new TokenBucket(1, 1, time);
    await bucket.take('copy', never);
    time.set(time.now() - 3_600_000);
    let isGone = false;
    void bucket.take('copy', never).then(() => (isGone = true));

    await time.pass(999);
    expect(isGone).toBe(false);
    await time.pass(1);

    expect(isGone).toBe(true);
  });
});
