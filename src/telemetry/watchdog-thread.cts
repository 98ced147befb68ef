/**
 * The thread beside the loop it watches. It counts its own turns, not time: a machine that was suspended has lost time
 * but no turns. CommonJS, as the loader of modules would double the memory of the thread (9 MiB instead of 19, measured).
 */
import fs = require('node:fs');
import threads = require('node:worker_threads');

interface Watched {
  readonly beats: Int32Array;
  readonly everyMs: number;
  readonly mostMissed: number;
}

const { beats, everyMs, mostMissed } = threads.workerData as Watched;
const standardError = 2;
let seen = 0;
let missed = 0;

setInterval(() => {
  const now = Atomics.load(beats, 0);
  missed = now === seen ? missed + 1 : 0;
  seen = now;
  if (missed < mostMissed) return;
  try {
    // the log of the process waits for the loop that stands still
    fs.writeSync(standardError, `${JSON.stringify({ level: 'error', msg: 'the event loop stands still, ending the process', seconds: (missed * everyMs) / 1000 })}\n`);
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
}, everyMs);
