/**
 * `npm run bench -- <name>`: plays a benchmark, prints its figures and writes every raw number.
 * A ratio that misses its goal is printed like any other: no figure ever fails the command.
 */
import { parseArgs } from 'node:util';
import type { Bench, PeerName } from './support/bench.js';
import { judge } from './support/figures.js';
import { describeLoad, describeMachine, loadAverage, writeReport, type CaseReport } from './support/report.js';
import { playCase } from './support/round.js';
import { contenderTable, figureTable } from './support/table.js';
import { copyBench } from './copy.js';

const benches: readonly Bench[] = [copyBench];
const peerNames: readonly PeerName[] = ['crane', 'regctl'];

const usage = `npm run bench -- <name> [options]

  <name>             ${benches.map(({ name }) => name).join(' | ')}
  --runs N           counted rounds, 5 unless told; one more is played first and discarded
  --peers LIST       of ${peerNames.join(',')}; all unless told
  --rtt MS           round-trip time between clients and registries, 20 unless told
  --case NAME        only this case; may be repeated
  --json FILE        raw numbers; bench/results/<name>-<date>.json unless told`;

interface Options {
  readonly bench: Bench;
  readonly runs: number;
  readonly peers: readonly PeerName[];
  readonly rttMs: number;
  readonly cases?: readonly string[];
  readonly json?: string;
}

async function main({ bench, runs, peers, rttMs, cases, json }: Options): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const machine = describeMachine();
  const opened = await bench.open({ rttMs, peers, cases, say });
  try {
    for (const line of opened.leftOut) say(line);
    const reports: CaseReport[] = [];
    for (const each of opened.cases) {
      const before = loadAverage();
      const { discarded, counted } = await playCase(each, runs, say);
      const load = { before, after: loadAverage() };
      const figures = each.figures.map((figure) => judge(figure, (contender) => counted.get(contender) ?? []));
      process.stdout.write(`\n${each.title}\n\n${contenderTable(counted)}\n\n${figureTable(figures)}\n\n${describeLoad(load, machine)}\n`);
      reports.push({ name: each.name, title: each.title, conditions: each.conditions, load, figures, discarded: Object.fromEntries(discarded), runs: Object.fromEntries(counted) });
    }
    const file = await writeReport({ bench: bench.name, ...machine, versions: opened.versions, rounds: runs, leftOut: opened.leftOut, cases: reports }, json);
    say(`\nraw numbers: ${file}`);
  } finally {
    await opened.close();
  }
}

/** @throws Error with what is wrong and what is possible */
function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { runs: { type: 'string', default: '5' }, peers: { type: 'string', default: peerNames.join(',') }, rtt: { type: 'string', default: '20' }, case: { type: 'string', multiple: true }, json: { type: 'string' } },
  });
  const bench = benches.find(({ name }) => name === positionals[0]);
  if (bench === undefined) throw new Error(`name a benchmark: ${benches.map(({ name }) => name).join(', ')}`);
  return { bench, runs: numberOf('--runs', values.runs, 1), peers: peersOf(values.peers), rttMs: numberOf('--rtt', values.rtt, 0), cases: values.case, json: values.json };
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
