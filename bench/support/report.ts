import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { dirname, join } from 'node:path';
import { projectRoot } from '../../tools/programs.js';
import type { Case, RawRun } from './bench.js';
import type { Judged } from './figures.js';

/** Where and when it was measured. */
export interface Machine {
  /** RFC 3339 */
  readonly date: string;
  /** with `-dirty` when files differ from it */
  readonly commit: string;
  readonly node: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryBytes: number;
  readonly system: string;
}

/** Processes that wanted to run, averaged over the last minute: above the cores, somebody else was busy. */
export function loadAverage(): number {
  return loadavg()[0] ?? 0;
}

export interface Load {
  readonly before: number;
  readonly after: number;
}

export function describeLoad({ before, after }: Load, { cores }: Machine): string {
  return `load average ${before.toFixed(1)} before, ${after.toFixed(1)} after, on ${cores} cores`;
}

export interface CaseReport extends Pick<Case, 'name' | 'title' | 'conditions'> {
  readonly figures: readonly Judged[];
  /** load average of the machine before and after, our own work included */
  readonly load: Load;
  readonly discarded: Readonly<Record<string, RawRun>>;
  readonly runs: Readonly<Record<string, readonly RawRun[]>>;
}

/** Everything behind the ratios of one benchmark. */
export interface Report extends Machine {
  readonly bench: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly leftOut: readonly string[];
  readonly cases: readonly CaseReport[];
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    commit: git('describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'),
    node: process.version,
    cores: processors.length,
    processor: processors[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
  };
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { cwd: projectRoot(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}

/** @returns the file written, `bench/results/<name>-<date>.json` unless told */
export async function writeReport(report: Report, file = join(projectRoot(), 'bench', 'results', `${report.bench}-${report.date.slice(0, 10)}.json`)): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
  return file;
}
