/**
 * What is tracked, and what is checked, through random lives of a cluster: Pods come and go, rules are changed, rest and
 * vanish, registries answer this and that. Against a model that keeps everything in its head.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checksAt } from '../../src/domain/check-order.js';
import { untilNextMs } from '../../src/domain/check-pace.js';
import { imageName, knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import { trackedImages, type TrackedImage } from '../../src/domain/monitor.js';
import { planRecords, type ImageUse } from '../../src/domain/record-plan.js';
import type { ImageRecord, PlaceRecord } from '../../src/domain/record.js';
import type { MonitorRule } from '../../src/domain/rule.js';
import { aMonitorRule, aPod } from '../support/builders.js';

const hour = 3_600_000;
const pace = { intervalMs: hour, maxPerInterval: 4 };
const names = ['a:1', 'b:1', 'c:1', 'd:1'];
const namespaces = ['shop', 'sandbox'];

/** One life of a cluster, and what a careful observer would remember of it. */
class Life {
  now = Date.parse('2026-11-01T00:00:00Z');
  pods = new Map<string, Set<string>>();
  rules: MonitorRule[] = [aMonitorRule({ name: 'x' })];
  readonly records = new Map<ImageName, ImageRecord>();
  readonly checkedAt: number[] = [];
  /** `<rule> <image>`: tracked at the last pass */
  model = new Set<string>();

  used(): ImageUse[] {
    return [...this.pods].map(([name, users]) => ({ ref: knownImageRef(name), users: [...users].map((namespace) => aPod({ namespace })), pods: users.size, original: true }));
  }

  tracked(): readonly TrackedImage[] {
    return trackedImages({ used: this.used(), rules: this.rules, records: [...this.records.values()], now: this.now });
  }

  pass(): void {
    const plan = planRecords({ used: this.used(), rules: this.rules, records: [...this.records.values()], plan: { wanted: new Map(), collisions: [] }, retentionMs: 0, now: this.now });
    for (const usage of plan.apply) {
      const places = usage.places.map((place): PlaceRecord => ({ ...this.records.get(usage.image)?.places.find(({ reference }) => reference === place.reference), ...place }));
      this.records.set(usage.image, { name: usage.image, ...usage, places });
    }
    for (const image of plan.remove) this.records.delete(image);
    this.model = new Set(this.tracked().flatMap(({ image, by }) => by.map((rule) => `${rule} ${image}`)));
  }

  /** The monitor's turn, when it has come. */
  turn(): void {
    const waitMs = untilNextMs(pace, this.checkedAt.at(-1), this.now);
    const [check] = checksAt('docker.io', this.tracked(), this.now);
    if (waitMs > 0 || check === undefined) return;
    this.checkedAt.push(this.now);
    for (const image of check.records) {
      const record = this.records.get(image)!;
      const seen = { state: 'Available' as const, checkedAt: new Date(this.now).toISOString(), identity: 'anonymous' };
      this.records.set(image, { ...record, places: record.places.map((place) => ({ ...place, ...seen })) });
    }
  }
}

const rule = fc.record({
  name: fc.constantFrom('x', 'y'),
  sandbox: fc.boolean(),
  images: fc.constantFrom(/.*/, /.*\/[ab]:1/),
  unusedExpiryMs: fc.constantFrom(0, hour, 24 * hour),
  suspended: fc.boolean(),
});

type Event = (life: Life) => void;
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.tuple(fc.constantFrom(...names), fc.constantFrom(...namespaces)).map(([name, namespace]): Event => (life) => void life.pods.set(name, new Set([...(life.pods.get(name) ?? []), namespace]))),
  fc.constantFrom(...names).map((name): Event => (life) => void life.pods.delete(name)),
  rule.map(({ name, sandbox, images, unusedExpiryMs, suspended }): Event => (life) => {
    const made = aMonitorRule({ name, images: { include: [images] }, unusedExpiryMs, suspended, pods: sandbox ? {} : { exclude: { namespaces: [/sandbox/] } } });
    life.rules = [...life.rules.filter(({ id }) => id.name !== name), made];
  }),
  fc.constantFrom('x', 'y').map((name): Event => (life) => void (life.rules = life.rules.filter(({ id }) => id.name !== name))),
  fc.constant<Event>((life) => life.turn()),
  fc.integer({ min: 1, max: 30 * hour }).map((ms): Event => (life) => void (life.now += ms)),
);

/** Whether a Pod that a rule sees uses an image that it selects. */
function isWanted(life: Life, of: MonitorRule, image: ImageName): boolean {
  return life.used().some(({ ref, users }) => imageName(ref) === image && of.images.include.some((matches) => matches(image)) && users.some(({ namespace }) => !of.pods.exclude.namespaces.some((excluded) => excluded(namespace))));
}

test('tracked is what is wanted, and what was tracked and checked before and has not expired: nothing else, and nothing less', () => {
  let unusedAndTracked = 0;
  fc.assert(
    fc.property(fc.array(event, { minLength: 20, maxLength: 80, size: 'max' }), (events) => {
      const life = new Life();
      for (const happen of events) {
        const before = life.model;
        happen(life);
        life.turn();
        life.pass();

        for (const of of life.rules) {
          for (const name of names) {
            const image = imageName(knownImageRef(name));
            const isTracked = life.model.has(`${of.id.name} ${image}`);
            const was = before.has(`${of.id.name} ${image}`);
            if (!of.suspended && isWanted(life, of, image)) expect(isTracked).toBe(true);
            else if (life.pods.has(name) && !of.suspended) expect(isTracked).toBe(false); // in use by others: it has left
            if (isTracked && !(isWanted(life, of, image) && !of.suspended)) expect(was).toBe(true); // only Pods bring in
            const record = life.records.get(image);
            const since = Date.parse(record?.unusedSince ?? '');
            if (isTracked && of.unusedExpiryMs > 0 && !of.suspended && since > 0) expect(life.now - since).toBeLessThan(of.unusedExpiryMs);
            if (isTracked) expect(record).toBeDefined();
            if (was && of.suspended) expect(isTracked).toBe(true);
            if (isTracked && since > 0) unusedAndTracked += 1;
          }
        }
        for (const [index, at] of life.checkedAt.entries()) expect(life.checkedAt.filter((other, place) => place >= index && other < at + pace.intervalMs).length).toBeLessThanOrEqual(pace.maxPerInterval);
      }
    }),
    { numRuns: 300 },
  );
  expect(unusedAndTracked).toBeGreaterThan(500); // the lives were not all of one kind
});

test('every place has its turn: in a round nothing is checked twice', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1 }), fc.array(fc.nat(40)), (tags, shuffled) => {
      const life = new Life();
      life.rules = [aMonitorRule({ name: 'x' })];
      for (const tag of tags) life.pods.set(`app:${tag}`, new Set(['shop']));
      for (const tag of shuffled) if (life.pods.delete(`app:${tag}`)) life.pods.set(`app:${tag}`, new Set(['shop'])); // another order
      life.pass();

      const round = tags.map(() => {
        life.now += hour;
        const [next] = checksAt('docker.io', life.tracked(), life.now);
        life.turn();
        return next?.place;
      });

      expect(new Set(round).size).toBe(tags.length);
    }),
  );
});
