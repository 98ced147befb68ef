/**
 * A process whose event loop stands still, with a watchdog beside it:
 *
 *     node dist/test/support/blocked-process.js MILLISECONDS
 *
 * Prints `blocking` before, and `over` with what its readiness says after.
 */
import { startWatchdog } from '../../src/telemetry/watchdog.js';

const blockedMs = Number(process.argv[2]);
const watchdog = startWatchdog((error) => process.stdout.write(`${error.message}\n`), { everyMs: 20, mostMissed: 250, stallMs: 100, graceMs: 60_000, now: () => performance.now() });

// the thread has started, and has seen the loop turn
setTimeout(() => {
  process.stdout.write('blocking\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockedMs);
  setTimeout(() => {
    process.stdout.write(`over ${String(watchdog.ready())}\n`);
    void watchdog.stop();
  }, 100);
}, 500);
