import type { Cluster } from '../cluster/cluster.js';
import type { ImageName, PlaceId } from '../domain/image-ref.js';
import { annotations } from '../domain/names.js';
import type { ImageRecord } from '../domain/record.js';

export interface RequestDeps {
  readonly records: { snapshot(): readonly ImageRecord[] };
  readonly cluster: Pick<Cluster, 'takeAnnotation'>;
  /** has the keeper of a destination copy now; jumps the queue. A keeper that is gone is claimed again, which copies as well */
  readonly retry: (destination: PlaceId) => Promise<void>;
  /** has a tracked image checked before its turn */
  readonly check: (image: ImageName) => Promise<void>;
}

const atOnce = 8; // of the servers' answers: after an outage hundreds ask at a time, and the pass waits for us

/**
 * Turns what people ask through annotations into signals. The annotation goes when the signal has been taken, so a
 * request survives whatever fails in between, and may at worst be carried out twice.
 */
export class Requests {
  /** what was carried out, while the view still shows it: the watch may be slower than the next pass */
  #done = new Map<ImageName, string>();

  /** @throws Failure of the first request that a keeper or the cluster could not be reached for, after all others were tried: the next pass repeats it */
  async carryOut({ records, cluster, retry, check }: RequestDeps): Promise<void> {
    const asked = records.snapshot().filter((record): record is Asked => record.requestedAt !== undefined);
    const isDone = ({ image, requestedAt }: Asked): boolean => this.#done.get(image) === requestedAt;
    const done = new Map(asked.filter(isDone).map(({ image, requestedAt }) => [image, requestedAt]));

    const failed = await eachOf(asked.filter((record) => !isDone(record)), async ({ image, requestedAt, places, paused, trackedBy = [] }) => {
      // what was asked for before somebody paused it is not done: kuik resume has its copies made
      if (paused !== true) for (const { role, reference } of places) if (role === 'mirror') await retry(reference as string as PlaceId);
      if (trackedBy.length > 0) await check(image);
      await cluster.takeAnnotation(image, annotations.requestedAt, requestedAt);
      done.set(image, requestedAt);
    });
    this.#done = done;
    if (failed !== undefined) throw failed;
  }
}

type Asked = ImageRecord & { readonly requestedAt: string };

/** @returns the first error, after every item was tried */
async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<Error | undefined> {
  const rest = [...items];
  let failed: Error | undefined;
  const worker = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item).catch((error: unknown) => (failed ??= error instanceof Error ? error : new Error(String(error))));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return failed;
}
