/**
 * `npm run fuzz`: feeds the webhook what nobody should send. The test suite plays a sample of each target; this plays
 * as many as it is told, from one seed that it prints. Exit status 1 when something is found.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { explanationsAreDecisions } from './agreement.js';
import { referencesAreRead } from './references.js';
import { reviewsAreAdmitted } from './reviews.js';
import { tenantsKeepApart } from './tenants.js';

interface Target {
  /** how many unless told */
  readonly usual: number;
  readonly claim: string;
  readonly check: (draw: Draw) => Promise<Checked>;
}

interface Draw {
  readonly seed: number;
  readonly numRuns: number;
}

interface Checked {
  /** what was found, for people; undefined when nothing was */
  readonly report?: string;
  readonly numRuns: number;
}

/** @param property made anew for each batch, with the world it is played in */
function checking<T>(property: () => fc.IRawProperty<T>): Target['check'] {
  return async (draw) => {
    const found = await fc.check(property(), draw);
    return { numRuns: found.numRuns, ...(found.failed && { report: fc.defaultReportMessage(found) ?? 'no report' }) };
  };
}

const targets: Readonly<Record<string, Target>> = {
  references: { usual: 1_000_000, claim: 'every text is read or refused, as another parser does', check: checking<[string]>(referencesAreRead) },
  reviews: { usual: 1_000_000, claim: 'every AdmissionReview is admitted, every patch applies, and a second time nothing changes', check: checking(reviewsAreAdmitted) },
  explanations: { usual: 10_000, claim: 'what is explained is what was decided', check: checking(explanationsAreDecisions) },
  tenants: { usual: 10_000, claim: "no decision depends on another tenant's credentials", check: checking(tenantsKeepApart) },
};

const usage = `npm run fuzz -- [options] [target ...]

  target       ${Object.keys(targets).join(' | ')}; all unless told
  --seed N     of an earlier run; a new one unless told
  --runs N     of each target; ${Object.entries(targets).map(([name, { usual }]) => `${usual} ${name}`).join(', ')} unless told`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** So many are drawn from one seed: what is found is found again from the seed of its batch in seconds. */
const batch = 10_000;

/** @returns whether all went well */
async function fuzz(name: string, { usual, claim, check }: Target, seed: number, runs = usual): Promise<boolean> {
  const started = performance.now();
  for (let done = 0; done < runs; done += batch) {
    const own = (seed + done / batch) | 0;
    const { numRuns, report } = await check({ seed: own, numRuns: Math.min(batch, runs - done) });
    if (report !== undefined) {
      clearProgress();
      say(`${name}: FOUND, after ${done + numRuns}; again with: npm run fuzz -- --seed ${own} ${name}\n${report}`);
      return false;
    }
    showProgress(name, Math.min(done + batch, runs), runs);
  }
  clearProgress();
  say(`${name}: ${runs} in ${((performance.now() - started) / 1000).toFixed(0)} s: ${claim}`);
  return true;
}

function showProgress(name: string, done: number, runs: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${name}: ${done} of ${runs}`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

/** @throws Error with what is wrong */
function readOptions(args: readonly string[]): { readonly names: readonly string[]; readonly seed: number; readonly runs?: number } {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { seed: { type: 'string' }, runs: { type: 'string' } } });
  const unknown = positionals.find((name) => !Object.hasOwn(targets, name));
  if (unknown !== undefined) throw new Error(`${unknown} is no target`);
  return { names: positionals.length > 0 ? positionals : Object.keys(targets), seed: numberOf('--seed', values.seed) ?? randomInt(2 ** 31), runs: numberOf('--runs', values.runs) };
}

function numberOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?\d{1,10}$/.test(text)) throw new Error(`${option} ${text}: a whole number`);
  return Number(text);
}

try {
  const { names, seed, runs } = readOptions(process.argv.slice(2));
  say(`seed ${seed}`);
  for (const name of names) {
    const target = targets[name];
    if (target !== undefined && !(await fuzz(name, target, seed, runs))) process.exitCode = 1;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
  process.exitCode = 2;
}
