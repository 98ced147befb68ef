import { Runtime } from '@temporalio/worker';
import { sdkLogger, type TemporalLog } from './logger.js';

/**
 * Sets up the SDK's native side: our log instead of the console, and its metrics. Once per process, before anything
 * else of Temporal; a second call throws.
 *
 * @param metricsAddress `host:port` of a second scrape port; none unless told
 */
export function installRuntime(log: TemporalLog, metricsAddress?: string): void {
  // all three flags from the first release on: changing one renames every metric
  const prometheus = { bindAddress: metricsAddress ?? '', countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true };
  Runtime.install({
    logger: sdkLogger(log),
    shutdownSignals: [], // the process decides when its workers stop
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} }, // without it the native side prints to the console
      ...(metricsAddress === undefined ? {} : { metrics: { prometheus } }),
    },
  });
}

/** Ends what no worker ended: a native side that was never used keeps the process alive. Nothing of Temporal may run any more. */
export async function endRuntime(): Promise<void> {
  await Runtime._instance?.shutdown();
}
