import { describe, expect, test } from '@jest/globals';
import { setImmediate as settled } from 'node:timers/promises';
import type { PlaceId } from '../../src/domain/image-ref.js';
import { Orphans } from '../../src/watchers/orphans.js';

const at = (name: string, host = 'registry.example.com'): PlaceId => `${host}/mirror/${name}` as PlaceId;

class Bench {
  now = 0;
  readonly asked: PlaceId[] = [];
  readonly adopted: PlaceId[] = [];
  readonly errors: unknown[] = [];
  answer: (destination: PlaceId) => Promise<'there' | 'gone'> = async () => 'there';
  readonly orphans = new Orphans({
    look: (destination) => (this.asked.push(destination), this.answer(destination)),
    adopt: (destination) => void this.adopted.push(destination),
    onError: (error) => void this.errors.push(error),
    now: () => this.now,
  });

  async after(ms: number): Promise<void> {
    this.now += ms;
    this.orphans.look();
    for (let turn = 0; turn < 10; turn++) await settled();
  }
}

const minutes = 60_000;

describe('a released copy that nobody keeps', () => {
  test('is adopted when it is there', async () => {
    const bench = new Bench();

    bench.orphans.add(at('nginx:1.27'));
    await bench.after(0);

    expect(bench.adopted).toEqual([at('nginx:1.27')]);
  });

  test('is not adopted when it is gone: a new keeper would copy it anew', async () => {
    const bench = new Bench();
    bench.answer = async () => 'gone';

    bench.orphans.add(at('nginx:1.27'));
    await bench.after(0);
    await bench.after(60 * minutes);

    expect([bench.asked, bench.adopted]).toEqual([[at('nginx:1.27')], []]);
  });

  test('of which the registry does not tell is looked at again later, and so are the others there; nobody else waits', async () => {
    const bench = new Bench();
    bench.answer = async (destination) => {
      if (destination.startsWith('registry.example.com')) throw new Error('unreachable');
      return 'there';
    };
    const names = ['a:1', 'b:1', 'c:1', 'd:1', 'e:1', 'f:1'].map((name) => at(name));

    for (const name of names) bench.orphans.add(name);
    bench.orphans.add(at('nginx:1.27', 'other.example.com'));
    await bench.after(0);
    expect([bench.adopted, bench.errors.length]).toEqual([[at('nginx:1.27', 'other.example.com')], bench.asked.length - 1]);
    expect(bench.asked.length).toBeLessThan(7);

    bench.answer = async () => 'there';
    await bench.after(9 * minutes);
    expect(bench.adopted).toHaveLength(1);
    await bench.after(2 * minutes);

    expect(new Set(bench.adopted)).toEqual(new Set([...names, at('nginx:1.27', 'other.example.com')]));
  });

  test('is looked at once, however often it is said', async () => {
    const bench = new Bench();

    bench.orphans.add(at('nginx:1.27'));
    bench.orphans.add(at('nginx:1.27'));
    await bench.after(0);

    expect(bench.asked).toEqual([at('nginx:1.27')]);
  });

  test('is left to the next leader, also when the answer comes after the term', async () => {
    const bench = new Bench();
    let answer: (word: 'there') => void = () => undefined;
    bench.answer = () => new Promise((resolve) => (answer = resolve));

    bench.orphans.add(at('nginx:1.27'));
    bench.orphans.forget();
    answer('there');
    await bench.after(60 * minutes);

    expect(bench.adopted).toEqual([]);
  });
});
