/** The worked example of monitoring with expiry, played from `examples/availability.yaml` with a clock of its own. */
import { readFileSync } from 'node:fs';
import { beforeEach, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { reportMonitor } from '../../src/api/report-monitor.js';
import { translateRule } from '../../src/api/translate.js';
import type { AvailabilityState } from '../../src/domain/availability.js';
import { checksAt } from '../../src/domain/check-order.js';
import { knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import { trackedImages, type TrackedImage } from '../../src/domain/monitor.js';
import { planRecords, type ImageUse } from '../../src/domain/record-plan.js';
import type { ImageRecord, PlaceRecord } from '../../src/domain/record.js';
import type { MonitorRule } from '../../src/domain/rule.js';
import { aPod } from '../support/builders.js';

const [minutes, days] = [60_000, 24 * 60 * 60_000];
const start = Date.parse('2026-11-01T00:00:00Z');
const [nginx, api] = ['docker.io/library/nginx:1.27', 'quay.io/acme/api:v4'];

/** A cluster whose records are planned, and whose registries answer as told. */
class World {
  now = start;
  rule = ruleOf();
  used: ImageUse[] = [];
  readonly answers = new Map<string, AvailabilityState>();
  #records = new Map<ImageName, ImageRecord>();

  /** The watchers' pass. */
  pass(): void {
    const picture = { used: this.used, rules: [this.rule], records: [...this.#records.values()], now: this.now };
    const plan = planRecords({ ...picture, plan: { wanted: new Map(), collisions: [] }, retentionMs: 30 * days });
    for (const usage of plan.apply) {
      const places = usage.places.map((place): PlaceRecord => ({ ...this.#records.get(usage.image)?.places.find(({ reference }) => reference === place.reference), ...place }));
      this.#records.set(usage.image, { name: usage.image, ...usage, places });
    }
    for (const image of plan.remove) this.#records.delete(image);
  }

  tracked(): readonly TrackedImage[] {
    return trackedImages({ used: this.used, rules: [this.rule], records: [...this.#records.values()], now: this.now });
  }

  /** The monitor's turn at a registry. @returns what it checked */
  turn(host: string): string | undefined {
    const [check] = checksAt(host, this.tracked(), this.now);
    for (const image of check?.records ?? []) {
      const record = this.#records.get(image)!;
      const seen = { state: this.answers.get(image) ?? 'Available', checkedAt: new Date(this.now).toISOString(), identity: 'anonymous' };
      this.#records.set(image, { ...record, places: record.places.map((place) => ({ ...place, ...seen })) });
    }
    return check?.place;
  }

  /** `image status[ unused]`, as the status of the rule lists them. */
  list(): string[] {
    const images = this.tracked().map(({ image, unusedSince, seen }) => ({ image, unusedSince, ...seen }));
    const status = reportMonitor({ rule: this.rule, images, secrets: [], silent: [], passDone: true, previous: undefined, now: this.now });
    expect(status.imageCount).toBe(status.images?.length);
    return (status.images ?? []).map(({ image, status: state, unusedSince }) => `${image} ${state}${unusedSince === undefined ? '' : ' unused'}`);
  }

  expires(image: string): string | undefined {
    return this.#records.get(image as ImageName)?.expiresAt;
  }
}

function ruleOf(spec?: object): MonitorRule {
  const example = parse(readFileSync('examples/availability.yaml', 'utf8')) as { metadata: { name: string }; spec: object };
  return translateRule({ kind: 'ClusterImageSetAvailability', name: example.metadata.name, uid: 'u', generation: 1, spec: spec ?? example.spec }, { installNamespace: 'kuik-system' }) as MonitorRule;
}

const use = (image: string, namespace = 'shop'): ImageUse => ({ ref: knownImageRef(image), users: [aPod({ namespace })], pods: 1, original: true });

let world: World;
beforeEach(() => {
  world = new World();
});

test('monitoring with expiry', () => {
  world.used = [use(nginx), use(api)];
  world.pass();
  expect(world.list()).toEqual([`${nginx} Scheduled`, `${api} Scheduled`]);

  expect([world.turn('docker.io'), world.turn('quay.io')]).toEqual([nginx, api]);
  world.pass();
  expect(world.list()).toEqual([`${nginx} Available`, `${api} Available`]);

  world.now += 10 * minutes;
  world.answers.set(api, 'NotFound');
  world.turn('quay.io');
  expect(world.list()).toEqual([`${api} NotFound`, `${nginx} Available`]);

  world.used = [...world.used, use('nginx:1.28', 'sandbox')];
  world.pass();
  expect(world.list()).toHaveLength(2);

  world.now = start + 3 * days;
  world.used = [use(api)];
  world.pass();
  expect(world.list()).toEqual([`${api} NotFound`, `${nginx} Available unused`]);
  expect(world.expires(nginx)).toBe('2026-12-04T00:00:00.000Z');
  expect(world.turn('docker.io')).toBe(nginx);

  world.now = start + 33 * days - minutes;
  world.pass();
  expect(world.list()).toHaveLength(2);
  world.now = start + 33 * days;
  world.pass();
  expect(world.list()).toEqual([`${api} NotFound`]);
});

test('an image that is not selected any more leaves at once, used or not', () => {
  world.used = [use(nginx), use(api)];
  world.pass();
  world.turn('docker.io');
  world.rule = ruleOf({ filter: { include: [{ image: String.raw`quay\.io/.+` }] } });
  world.pass();

  expect(world.list()).toEqual([`${api} Scheduled`]);
});

test('one that comes back within its time has no clock any more', () => {
  world.used = [use(nginx)];
  world.pass();
  world.turn('docker.io');
  world.used = [];
  world.pass();
  world.now += 29 * days;
  world.used = [use(nginx)];
  world.pass();
  world.now += 29 * days;
  world.pass();

  expect(world.list()).toEqual([`${nginx} Available`]);
  expect(world.expires(nginx)).toBeUndefined();
});

test('an image that only an excluded namespace uses was never tracked, and leaves nothing behind', () => {
  world.used = [use('nginx:1.28', 'sandbox')];
  world.pass();
  world.used = [];
  world.pass();

  expect(world.list()).toEqual([]);
});
