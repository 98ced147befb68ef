import { CancellationScope, condition, defineSignal, isCancellation, patched, setHandler } from '@temporalio/workflow';
import { signals } from '../temporal/contract.js';

/** Performs work of activities, and again from its start whenever somebody asks. */
export type Persistence = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Lets the signal `retry` drop a back-off: what was scheduled is cancelled and scheduled anew. An attempt that
 * waits starts at once; a healthy one loses only the blobs in flight.
 */
export function installRetry(): Persistence {
  let asked = 0;
  setHandler(defineSignal(signals.retry), () => void asked++, {
    description: 'Drop the back-off: what waits for its next attempt starts at once. No payload.',
  });

  return async (work) => {
    for (;;) {
      const before = asked;
      const scope = new CancellationScope();
      const run = scope.run(work);
      const settled = run.then(
        () => true,
        () => true,
      );
      await Promise.race([settled, condition(() => asked > before)]);
      if (asked > before) scope.cancel();
      try {
        return await run;
      } catch (error) {
        const isOurs = asked > before && !CancellationScope.current().consideredCancelled && mayBeOurs(error);
        if (!isOurs) throw error;
      }
    }
  };
}

/**
 * Who asks wants it done again, however it ended: an attempt that was cancelled after its worker had died ends by a
 * timeout. A run that began under a release which gave up then goes on like that when it is replayed.
 */
function mayBeOurs(error: unknown): boolean {
  return isCancellation(error) || patched('retry-whatever-ended');
}
