/**
 * `npm run bench -- <name>`: plays a benchmark, or all of them, prints the figures and writes every raw number.
 * A figure that misses its goal is printed like any other: none ever fails the command.
 */
import { parseArgs } from 'node:util';
import type { Bench, Case, PeerName } from './support/bench.js';
import { judge } from './support/figures.js';
import { describeLoad, describeMachine, loadAverage, writeReport, type CaseReport, type Machine } from './support/report.js';
import { playCase } from './support/round.js';
import { contenderTable, figureTable } from './support/table.js';
import { admissionBench } from './admission.js';
import { checkBench } from './check.js';
import { copyBench } from './copy.js';
import { mountBench } from './mount.js';
import { resumeBench } from './resume.js';
import { startBench } from './start.js';

/** Those of which a slow minute spoils least come first. */
const benches: readonly Bench[] = [startBench, mountBench, resumeBench, checkBench, admissionBench, copyBench];
const peerNames: readonly PeerName[] = ['crane', 'regctl', 'skopeo'];

const usage = `npm run bench -- <name> [options]

  <name>             ${benches.map(({ name }) => name).join(' | ')} | all
  --runs N           counted rounds, 5 unless told; one more is played first and discarded
  --peers LIST       of ${peerNames.join(',')}; all unless told
  --rtt MS           round-trip time between clients and registries, 20 unless told
  --case NAME        only this case of one benchmark; may be repeated
  --json FILE        raw numbers of one benchmark; bench/results/<name>-<date>.json unless told`;

interface Options {
  readonly benches: readonly Bench[];
  readonly runs: number;
  readonly peers: readonly PeerName[];
  readonly rttMs: number;
  readonly cases?: readonly string[];
  readonly json?: string;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(options: Options): Promise<void> {
  const start = performance.now();
  for (const bench of options.benches) await play(bench, options);
  say(`took ${((performance.now() - start) / 60_000).toFixed(1)} minutes`);
}

async function play(bench: Bench, { runs, peers, rttMs, cases, json }: Options): Promise<void> {
  const machine = describeMachine();
  const opened = await bench.open({ rttMs, peers, cases, say });
  try {
    for (const line of opened.leftOut) say(line);
    const reports: CaseReport[] = [];
    for (const make of opened.cases) {
      reports.push(await playAndPrint(await make(), runs, machine));
      // after each case: a failure of the next one takes nothing away
      say(`\nraw numbers: ${await writeReport({ bench: bench.name, ...machine, versions: opened.versions, rounds: runs, leftOut: opened.leftOut, cases: reports }, json)}`);
    }
  } finally {
    await opened.close();
  }
}

async function playAndPrint(each: Case, rounds: number, machine: Machine): Promise<CaseReport> {
  const before = loadAverage();
  const runs = await playCase(each, rounds, say);
  const load = { before, after: loadAverage() };
  const figures = each.figures.map((figure) => judge(figure, (contender) => runs.counted.get(contender) ?? []));
  process.stdout.write(`\n${each.title}\n\n${contenderTable(runs)}\n\n${figureTable(figures)}\n\n${describeLoad(load, machine)}\n`);
  return { name: each.name, title: each.title, conditions: each.conditions, load, figures, discarded: Object.fromEntries(runs.discarded), runs: Object.fromEntries(runs.counted) };
}

/** @throws Error with what is wrong and what is possible */
function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { runs: { type: 'string', default: '5' }, peers: { type: 'string', default: peerNames.join(',') }, rtt: { type: 'string', default: '20' }, case: { type: 'string', multiple: true }, json: { type: 'string' } },
  });
  const [name] = positionals;
  const chosen = benches.filter((bench) => name === 'all' || bench.name === name);
  if (chosen.length === 0) throw new Error(`name a benchmark: ${benches.map((bench) => bench.name).join(', ')}, or all`);
  if (name === 'all' && (values.case ?? values.json) !== undefined) throw new Error('--case and --json go with one benchmark, not with all');
  return { benches: chosen, runs: numberOf('--runs', values.runs, 1), peers: peersOf(values.peers), rttMs: numberOf('--rtt', values.rtt, 0), cases: values.case, json: values.json };
}

function numberOf(option: string, text: string, atLeast: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < atLeast) throw new Error(`${option} ${text}: a whole number, ${atLeast} or more`);
  return number;
}

function peersOf(text: string): readonly PeerName[] {
  return text.split(',').filter(Boolean).map((name) => {
    const peer = peerNames.find((each) => each === name);
    if (peer === undefined) throw new Error(`--peers ${text}: ${name} is not known, only ${peerNames.join(', ')}`);
    return peer;
  });
}

try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
  process.exitCode = 1;
}
