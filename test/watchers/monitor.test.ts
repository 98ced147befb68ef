import { describe, expect, test } from '@jest/globals';
import { Failure } from '../../src/domain/failure.js';
import { imageName, knownImageRef } from '../../src/domain/image-ref.js';
import type { TrackedImage } from '../../src/domain/monitor.js';
import { Monitors } from '../../src/watchers/monitor.js';

const hour = 3_600_000;

/** Images at these registries. */
function at(...hosts: readonly string[]): readonly TrackedImage[] {
  return hosts.map((host) => {
    const ref = knownImageRef(`${host}/acme/api:1`);
    return { image: imageName(ref), ref, by: ['main'], isChecked: true, original: true, records: [imageName(ref)] };
  });
}

class Bench {
  now = 0;
  pace = { intervalMs: hour, maxPerInterval: 6 };
  readonly sent: string[] = [];
  readonly errors: unknown[] = [];
  fails: ((host: string) => Failure | undefined) = () => undefined;
  readonly monitors = new Monitors({
    configure: async (host, { v, intervalMs, maxPerInterval }) => {
      const failure = this.fails(host);
      if (failure !== undefined) throw failure;
      this.sent.push(`${host} v${v} ${intervalMs / hour}h/${maxPerInterval}`);
    },
    paceOf: () => this.pace,
    onError: (error) => this.errors.push(error),
    now: () => this.now,
  });

  async look(images: readonly TrackedImage[]): Promise<readonly string[]> {
    this.sent.length = 0;
    this.monitors.look(images);
    await new Promise((resolve) => setImmediate(resolve));
    return [...this.sent];
  }
}

const away = new Failure({ code: 'unreachable', side: 'cluster', message: 'no connection to temporal' });

describe('monitors', () => {
  test('are told once per registry, and again within the hour', async () => {
    const bench = new Bench();

    expect(await bench.look(at('quay.io', 'docker.io', 'quay.io'))).toEqual(['docker.io v1 1h/6', 'quay.io v1 1h/6']);
    expect(await bench.look(at('quay.io', 'docker.io'))).toEqual([]);
    bench.now += hour;
    expect(await bench.look(at('quay.io'))).toEqual(['quay.io v1 1h/6']);
  });

  test('are told when the pace changes, and when somebody else led meanwhile', async () => {
    const bench = new Bench();
    await bench.look(at('quay.io'));
    bench.pace = { intervalMs: 3 * hour, maxPerInterval: 25 };
    expect(await bench.look(at('quay.io'))).toEqual(['quay.io v1 3h/25']);
    bench.monitors.forget();
    expect(await bench.look(at('quay.io'))).toEqual(['quay.io v1 3h/25']);
  });

  test('of a registry that came back are told again: theirs has ended meanwhile', async () => {
    const bench = new Bench();
    await bench.look(at('quay.io'));
    await bench.look([]);

    expect(await bench.look(at('quay.io'))).toEqual(['quay.io v1 1h/6']);
  });

  test('are not told of what is only tracked for a rule that rests', async () => {
    expect(await new Bench().look(at('quay.io').map((image) => ({ ...image, isChecked: false })))).toEqual([]);
  });

  test('are not told of what has no record yet, and of it as soon as it has', async () => {
    const bench = new Bench();

    expect(await bench.look(at('quay.io').map((image) => ({ ...image, records: [] })))).toEqual([]);
    expect(await bench.look(at('quay.io'))).toHaveLength(1);
  });

  test('wait while Temporal is away, and ask it once at a time', async () => {
    const bench = new Bench();
    bench.fails = () => away;
    expect(await bench.look(at('docker.io', 'quay.io'))).toEqual([]);
    expect(bench.errors).toEqual([away]);

    bench.fails = () => undefined;
    expect(await bench.look(at('docker.io', 'quay.io'))).toHaveLength(2);
  });

  test('are started again at once where somebody needs one that was terminated; that counts as told', async () => {
    const bench = new Bench();
    await bench.look(at('quay.io'));
    bench.now += hour - 1;
    bench.sent.length = 0;

    await bench.monitors.start('quay.io');

    expect(bench.sent).toEqual(['quay.io v1 1h/6']);
    bench.now += 2;
    expect(await bench.look(at('quay.io'))).toEqual([]);
  });

  test('do not wait for one that is refused', async () => {
    const bench = new Bench();
    bench.fails = (host) => (host === 'docker.io' ? new Failure({ code: 'invalid', side: 'cluster', message: 'refused' }) : undefined);

    expect(await bench.look(at('docker.io', 'quay.io'))).toEqual(['quay.io v1 1h/6']);
  });
});
