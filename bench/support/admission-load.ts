/**
 * The process that asks in the bench `admission`: sends reviews over a number of connections that stay open, and takes the
 * time of every single one.
 *
 *     node admission-load.js < LOAD, prints `Latencies` as JSON
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { Pool } from 'undici';
import { admissionPath } from '../../src/webhook/configuration.js';
import { aReview } from './reviews.js';

export interface Load {
  readonly port: number;
  readonly caFile: string;
  readonly connections: number;
  readonly requests: number;
  readonly podBytes: number;
  /** images of each Pod in turn */
  readonly images: readonly (readonly string[])[];
}

/** Milliseconds. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** answers in a second */
  readonly perSecond: number;
  /** every duration, in classes of one percent: upper end of the class to how many */
  readonly histogram: Readonly<Record<string, number>>;
}

async function main(load: Load): Promise<void> {
  const bodies = load.images.map((images, number) => aReview({ podBytes: load.podBytes, number, images }));
  const pool = new Pool(`https://127.0.0.1:${load.port}`, { connections: load.connections, connect: { ca: readFileSync(load.caFile, 'utf8') } });
  const durations = new Float64Array(load.requests);
  let next = 0;
  const start = performance.now();
  const connection = async (): Promise<void> => {
    while (next < load.requests) {
      const at = next++;
      const sent = performance.now();
      const { statusCode, body } = await pool.request({ path: `${admissionPath}?timeout=3s`, method: 'POST', headers: { 'content-type': 'application/json' }, body: bodies[at % bodies.length] });
      const answer = await body.text();
      durations[at] = performance.now() - sent;
      if (statusCode !== 200 || !answer.includes('"allowed":true')) throw new Error(`status ${statusCode}: ${answer.slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: load.connections }, connection));
  const seconds = (performance.now() - start) / 1000;
  await pool.close();
  process.stdout.write(JSON.stringify(latenciesOf(durations.sort(), seconds)));
}

function latenciesOf(sorted: Float64Array, seconds: number): Latencies {
  const at = (share: number): number => sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)] ?? 0;
  const histogram: Record<string, number> = {};
  for (const duration of sorted) {
    const upper = (1.01 ** Math.ceil(Math.log(Math.max(duration, 0.001)) / Math.log(1.01))).toFixed(4);
    histogram[upper] = (histogram[upper] ?? 0) + 1;
  }
  return { p50: at(0.5), p99: at(0.99), max: at(1), perSecond: Math.round(sorted.length / seconds), histogram };
}

await main(JSON.parse(await text(process.stdin)) as Load);
