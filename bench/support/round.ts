import type { Case, Contender, RawRun, Round } from './bench.js';
import { measure } from './measure.js';

/** Every run of a case, by contender, in the order they were made. */
export interface CaseRuns {
  /** the first round, which warms disks and caches and counts for nothing */
  readonly discarded: ReadonlyMap<string, RawRun>;
  readonly counted: ReadonlyMap<string, readonly RawRun[]>;
}

/** Plays a case: every contender once, again and again, so that a slow minute of the machine strikes all of them. */
export async function playCase(each: Case, rounds: number, say: (line: string) => void): Promise<CaseRuns> {
  const discarded = new Map<string, RawRun>();
  const counted = new Map<string, RawRun[]>(each.contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const contender of each.contenders) {
      const run = await playOnce(contender, round === 0 ? 'warm-up' : 'timed');
      say(`${each.name}: round ${round === 0 ? '0 (discarded)' : `${round} of ${rounds}`}, ${contender.name}: ${(run.wallMs / 1000).toFixed(2)} s`);
      if (round === 0) discarded.set(contender.name, run);
      else counted.get(contender.name)?.push(run);
    }
  }
  return { discarded, counted };
}

async function playOnce(contender: Contender, round: Round): Promise<RawRun> {
  const attempt = await contender.prepare(round);
  try {
    const usage = await measure((launcher) => attempt.run(launcher));
    const traffic = attempt.traffic();
    const readings = attempt.readings?.() ?? {};
    await attempt.check();
    return { ...usage, traffic, readings };
  } finally {
    await attempt.clean();
  }
}
