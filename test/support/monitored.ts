/** Images that are tracked at one registry, and records that checks are written into: what a monitor's activities need. */
import { createMonitorActivities, type CheckSettings, type MonitorDeps } from '../../src/activities/monitor.js';
import type { AvailabilityState } from '../../src/domain/availability.js';
import { imageName, knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import type { TrackedImage } from '../../src/domain/monitor.js';
import type { PlaceRecord } from '../../src/domain/record.js';
import type { MonitorActivities } from '../../src/temporal/activities.js';

export class Monitored {
  readonly records = new Map<ImageName, PlaceRecord>();
  /** every state that was written, in order */
  readonly states: AvailabilityState[] = [];
  readonly activities: MonitorActivities;
  /** thrown by whatever writes a record, while set */
  writeFails: (() => Error) | undefined;
  readonly #names: readonly ImageName[];

  /** @param names `host/path:tag` */
  constructor(names: readonly string[], registry: MonitorDeps['registry'], settings: Partial<CheckSettings> = {}) {
    this.#names = names.map((name) => imageName(knownImageRef(name)));
    this.activities = createMonitorActivities({
      tracked: () => this.tracked(),
      settings: () => ({ method: 'HEAD', timeoutMs: 30_000, resolveDigest: false, ...settings }),
      credentials: async () => ({ as: [] }),
      registry,
      cluster: {
        changePlace: async (image, reference, _manager, change) => {
          if (this.writeFails !== undefined) throw this.writeFails();
          const changed = change(this.records.get(image) ?? { reference, role: 'origin' });
          this.records.set(image, changed);
          if (changed.state !== undefined) this.states.push(changed.state);
          return 'changed';
        },
      },
    });
  }

  tracked(): readonly TrackedImage[] {
    return this.#names.map((image) => {
      const seen = this.records.get(image);
      return { image, ref: knownImageRef(image), by: ['main'], isChecked: true, original: true, records: [image], ...(seen === undefined ? {} : { seen }) };
    });
  }

  countOf(state: AvailabilityState): number {
    return [...this.records.values()].filter((place) => place.state === state).length;
  }
}
