import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Change } from '../../src/cluster/cluster.js';
import { ListWatch, type RawObject } from '../../src/cluster/kubernetes/list-watch.js';
import { Reflector, type ReflectorOptions } from '../../src/cluster/kubernetes/reflector.js';
import { Requests } from '../../src/cluster/kubernetes/requests.js';
import { watchedTypes } from '../../src/cluster/kubernetes/resources.js';
import { until } from '../support/until.js';
import { hangUp, line, refuse, ScriptedApi, silence, silentWatch } from './scripted-api.js';

interface Thing {
  readonly key: string;
  readonly version: string;
}

const quick: ReflectorOptions = { baseMs: 1, awayCapMs: 4, capMs: 4, paceMs: 0, random: () => 0.5 };

/** A watch under test, and the picture it makes. */
class Watched {
  readonly changes: Change<Thing>[] = [];
  readonly things = new Map<string, Thing>();
  /** throws while it holds the key */
  readonly troublesome = new Set<string>();
  readonly reflector: Reflector<Thing>;
  readonly ended: Promise<void>;
  readonly #end = new AbortController();
  readonly #requests: Requests;

  constructor(api: ScriptedApi, options: ReflectorOptions & { readonly pageSize?: number; readonly idleMs?: number; readonly answerMs?: number } = {}) {
    this.#requests = new Requests(api.config, options);
    const source = new ListWatch(this.#requests, watchedTypes.Pod, { pageSize: options.pageSize });
    this.reflector = new Reflector(source, { project: thingOf, keyOf: ({ key }) => key }, (change) => this.#apply(change), { ...quick, ...options });
    this.ended = this.reflector.run(this.#end.signal);
  }

  get picture(): string[] {
    return [...this.things.values()].map(({ key, version }) => `${key}@${version}`).sort();
  }

  get isSynced(): boolean {
    return this.changes.some(({ type }) => type === 'synced');
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.ended;
    this.#requests.close();
  }

  #apply(change: Change<Thing>): void {
    if (change.type !== 'synced' && this.troublesome.has(change.key)) throw new Error('a mistake of the handler');
    this.changes.push(change);
    if (change.type === 'put') this.things.set(change.key, change.object);
    if (change.type === 'gone') this.things.delete(change.key);
  }
}

function thingOf(object: RawObject): Thing {
  if ('broken' in object) throw new Error('cannot be read');
  return { key: object.metadata.name, version: object.metadata.resourceVersion };
}

let api: ScriptedApi;
let watched: Watched | undefined;

beforeEach(async () => {
  api = await new ScriptedApi().start();
});

afterEach(async () => {
  await watched?.stop();
  watched = undefined;
  await api.stop();
});

function watch(options: ConstructorParameters<typeof Watched>[1] = {}): Watched {
  return (watched = new Watched(api, options));
}

async function synced(options: ConstructorParameters<typeof Watched>[1] = {}): Promise<Watched> {
  const started = watch(options);
  await until(() => started.isSynced && api.openWatches === 1);
  return started;
}

async function settled(of: Watched): Promise<void> {
  await until(() => JSON.stringify(of.picture) === JSON.stringify(api.picture));
}

describe('a watch', () => {
  test('delivers what is there, says so, and then what changes', async () => {
    api.put('a');
    api.put('b');
    const seen = await synced();
    api.put('c');
    api.put('a');
    api.remove('b');
    await settled(seen);

    expect(seen.changes.map((change) => (change.type === 'synced' ? 'synced' : `${change.type} ${change.key}`))).toEqual([
      'put a',
      'put b',
      'synced',
      'put c',
      'put a',
      'gone b',
    ]);
    expect(seen.reflector.health).toMatchObject({ connected: true, objects: 2, handlerErrors: 0, unreadable: 0 });
  });

  test('reads a long list page by page', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) api.put(name);
    const seen = await synced({ pageSize: 2 });

    expect(seen.picture).toEqual(api.picture);
    expect(api.asked).toEqual(['list', 'list more', 'list more', 'watch 6']);
  });

  test('begins the list again when the ticket for its next page has run out', async () => {
    for (const name of ['a', 'b', 'c']) api.put(name);
    api.next('list', pageOf('a', 'stale'), refuse(410, 'the provided continue parameter is too old'));
    const seen = await synced({ pageSize: 2 });

    expect(seen.picture).toEqual(api.picture);
    expect(api.asked.slice(0, 4)).toEqual(['list', 'list more', 'list', 'list more']);
  });

  test.each([
    ['the server fails', refuse(500, 'etcd is away'), 'unreachable'],
    ['the server is too busy', refuse(429, 'too many requests', { 'retry-after': '0' }), 'throttled'],
    ['our right was revoked', refuse(403, 'pods is forbidden'), 'denied'],
    ['our token is refused', refuse(401, 'Unauthorized'), 'unauthorized'],
    ['the connection is cut', hangUp, 'unreachable'],
    ['the server accepts and says nothing', silence, 'timeout'],
    ['the answer is no JSON', (answer: { end: (text: string) => void }) => answer.end('<html>'), 'corrupt'],
    ['the answer is no list', (answer: { end: (text: string) => void }) => answer.end('{"kind":"Pod"}'), 'corrupt'],
    ['an object in it has no name', (answer: { end: (text: string) => void }) => answer.end('{"metadata":{"resourceVersion":"1"},"items":[{"kind":"Pod"}]}'), 'corrupt'],
    ['the list ends before its end', (answer: { end: (text: string) => void }) => answer.end('{"metadata":{"resourceVersion":"1","remainingItemCount":1},"items":[]}'), 'corrupt'],
  ] as const)('tries again, and knows why, when %s at the first list', async (_when, fault, code) => {
    api.put('a');
    const failures = new Set<string | undefined>();
    api.next('list', fault, fault, fault);
    const seen = watch({ idleMs: 50 });
    await until(() => {
      failures.add(seen.reflector.health.lastError?.code);
      return seen.isSynced && seen.reflector.health.connected;
    });

    expect(seen.picture).toEqual(api.picture);
    expect(seen.reflector.health.lastError).toBeUndefined();
    expect([...failures]).toContain(code);
  });

  test('names the verb and the resource it may not use', async () => {
    api.next('watch', ...Array.from({ length: 50 }, () => refuse(403, 'forbidden')));
    const seen = watch();
    await until(() => seen.reflector.health.lastError !== undefined);

    expect(seen.reflector.health.lastError?.message).toBe('not allowed to watch pods: grant verb watch on pods');
  });

  test.each(['politely', 'cut'] as const)('goes on where it was when the server ends the watch (%s)', async (how) => {
    api.put('a');
    const seen = await synced();
    api.put('b');
    await settled(seen);
    api.endWatches(how);
    api.put('c');
    api.remove('a');
    await settled(seen);

    expect(api.asked.filter((what) => what.startsWith('list'))).toHaveLength(1);
    expect(api.asked).toContain('watch 3');
  });

  test('a bookmark moves it on, though nothing of ours changed', async () => {
    const seen = await synced();
    api.put('somebody-elses', {}, 'silent');
    api.remove('somebody-elses', 'silent');
    api.bookmark();
    api.put('last');
    await settled(seen);
    api.compact();
    api.endWatches('politely');
    await until(() => api.asked.at(-1) === 'watch 4' && api.openWatches === 1);

    expect(api.asked).toEqual(['list', 'watch 1', 'watch 4']);
  });

  test('a half-open connection is noticed and replaced', async () => {
    api.put('a');
    api.next('watch', silentWatch);
    const seen = watch({ idleMs: 50 });
    await until(() => seen.isSynced);
    api.put('b');
    await settled(seen);

    expect(seen.picture).toEqual(api.picture);
  });

  test('a watch that ends at once again and again is not asked for without pause', async () => {
    const pauses: number[] = [];
    const ended = Array.from({ length: 6 }, () => (answer: { end: () => void }) => answer.end());
    api.next('watch', ...ended);
    const seen = watch({ random: () => (pauses.push(1), 0) });
    await until(() => api.openWatches === 1);

    // each end drew a pause from the back-off, and each watch its length
    expect(pauses.length).toBeGreaterThanOrEqual(2 * ended.length);
    expect(seen.isSynced).toBe(true);
  });

  test('stops where it stands when it is told to, and never rejects', async () => {
    api.next('list', silence);
    const seen = watch();
    await until(() => api.asked.length === 1);
    await seen.stop();

    await expect(seen.ended).resolves.toBeUndefined();
    expect(seen.reflector.health).toMatchObject({ connected: false });
  });
});

describe('after a gap', () => {
  test.each([
    ['the watch is refused', (): void => api.endWatches('cut')],
    ['the watch is told inside', (): void => api.say(line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' }))],
  ])('everything is compared, deletions included, when the version is too old (%s)', async (_how, gap) => {
    for (const name of ['kept', 'changed', 'deleted']) api.put(name);
    const seen = await synced();
    api.put('changed', {}, 'silent');
    api.remove('deleted', 'silent');
    api.put('created', {}, 'silent');
    api.compact();
    gap();
    await settled(seen);

    const late = seen.changes.slice(4).map((change) => (change.type === 'synced' ? 'synced' : `${change.type} ${change.key}`));
    expect(late.sort()).toEqual(['gone deleted', 'put changed', 'put created']);
  });

  test.each([
    ['is no JSON', 'half a li\n'],
    ['is no event', '"hello"\n'],
    ['carries nothing', '{"type":"ADDED"}\n'],
  ])('a line that %s leads to a new list', async (_what, garbage) => {
    api.put('a');
    const seen = await synced();
    api.put('b', {}, 'silent');
    api.say(garbage);
    await settled(seen);

    expect(api.asked.filter((what) => what === 'list')).toHaveLength(2);
  });

  test('an event of a type we do not know is passed over', async () => {
    const seen = await synced();
    api.say('{"type":"PROMOTED","object":{}}\n');
    api.put('a');
    await settled(seen);

    expect(api.asked).toEqual(['list', 'watch 1']);
  });

  test('a regular comparison finds what the server forgot to tell', async () => {
    api.put('a');
    let now = 1_000_000;
    const seen = await synced({ now: () => now, resyncMs: 60_000 });
    api.put('b', {}, 'silent');
    api.remove('a', 'silent');
    now += 61_000;
    api.endWatches('politely');
    await settled(seen);

    expect(seen.changes.filter(({ type }) => type === 'synced')).toHaveLength(1);
  });
});

describe('one bad object', () => {
  test('that cannot be read is left out, and what it was before goes', async () => {
    api.put('good');
    api.put('odd');
    const seen = await synced();
    api.put('odd', { broken: true });
    await until(() => seen.reflector.health.unreadable === 1);

    expect([...seen.things.keys()]).toEqual(['good']);
    api.put('odd');
    await settled(seen);
    expect(seen.reflector.health.unreadable).toBe(0);
  });

  test('that a handler stumbles over comes again with the next list', async () => {
    const seen = await synced();
    seen.troublesome.add('a');
    api.put('a');
    api.put('b');
    await until(() => seen.things.has('b'));
    expect(seen.reflector.health).toMatchObject({ handlerErrors: 1, connected: true });

    seen.troublesome.clear();
    api.compact();
    api.put('c', {}, 'silent');
    api.say(line('ERROR', { code: 410 }));
    await settled(seen);
  });
});

describe('whatever happens', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), name: fc.constantFrom('a', 'b', 'c', 'd'), how: fc.constantFrom('told' as const, 'silent' as const) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('remove' as const), name: fc.constantFrom('a', 'b', 'c', 'd'), how: fc.constantFrom('told' as const, 'silent' as const) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('cut', 'end', 'garbage', 'gone', 'compact', 'bookmark', 'fail list', 'fail watch', 'breathe') }) },
  );

  test('the picture ends up equal to the collection', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const own = await new ScriptedApi().start();
        const seen = new Watched(own, { pageSize: 2 });
        try {
          for (const what of steps) await perform(own, what);
          // what was changed silently can only be found by a list, which every older version leads to now
          own.put('last', {}, 'silent');
          own.compact();
          await until(() => {
            own.endWatches('cut');
            return JSON.stringify(seen.picture) === JSON.stringify(own.picture);
          });
        } finally {
          await seen.stop();
          await own.stop();
        }
      }),
      { numRuns: 25 },
    );
  });

  async function perform(own: ScriptedApi, what: { readonly do: string; readonly name?: string; readonly how?: 'told' | 'silent' }): Promise<void> {
    switch (what.do) {
      case 'put':
        return own.put(what.name ?? '', {}, what.how);
      case 'remove':
        return own.remove(what.name ?? '', what.how);
      case 'cut':
        return own.endWatches('cut');
      case 'end':
        return own.endWatches('politely');
      case 'garbage':
        return own.say('{"type":\n');
      case 'gone':
        return own.say(line('ERROR', { code: 410 }));
      case 'compact':
        return own.compact();
      case 'bookmark':
        return own.bookmark();
      case 'fail list':
        return own.next('list', refuse(503, 'away'));
      case 'fail watch':
        return own.next('watch', hangUp);
      default:
        await new Promise((resolve) => setTimeout(resolve, 3));
    }
  }
});

function pageOf(name: string, ticket: string) {
  return (answer: { end: (text: string) => void }): void =>
    answer.end(JSON.stringify({ metadata: { resourceVersion: '4', continue: ticket }, items: [{ metadata: { name, resourceVersion: '2' } }] }));
}
