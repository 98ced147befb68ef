/** What people read of a monitor: one line for a list, a few for a page. Markdown, as the Temporal UI shows it. */
import { availabilityStates } from './availability.js';
import { cycleMs, tickMs, type Pace } from './check-pace.js';
import { formatDuration } from './duration.js';
import type { FailureInfo } from './failure.js';
import type { Counts, MonitorState, MonitorStep } from './monitor-run.js';

/** What the query `status` answers. Times are RFC 3339. */
export interface MonitorStatus {
  readonly v: 1;
  readonly registry: string;
  readonly cluster: string;
  readonly next: { readonly step: MonitorStep['kind']; readonly reason: string; readonly at?: string };
  /** durations */
  readonly tick?: string;
  readonly cycle?: string;
  readonly places?: number;
  readonly counts?: Counts;
  readonly checkedAt?: string;
  readonly failure?: FailureInfo & { readonly attempts: number };
}

export function monitorStatusOf({ registry, cluster, settings, last, failure }: MonitorState, step: MonitorStep): MonitorStatus {
  return {
    v: 1,
    registry,
    cluster,
    next: { step: step.kind, reason: step.reason, ...(step.kind === 'wait' ? { at: timeText(step.at) } : {}) },
    ...(settings === undefined ? {} : { tick: formatDuration(tickMs(settings)) }),
    ...(settings === undefined || last === undefined ? {} : { cycle: formatDuration(cycleMs(settings, last.turns ?? last.places)) }),
    ...(last === undefined ? {} : { places: last.places, counts: last.counts, checkedAt: timeText(last.at) }),
    ...(failure === undefined ? {} : { failure }),
  };
}

const waits: Readonly<Record<string, string>> = {
  Turn: 'next check',
  Throttled: 'the registry asked to be left alone; next check',
  Failed: 'the last checks could not be made; tried again',
  Paused: 'paused until somebody sends `resume`',
  NotConfigured: 'waits for the manager to say at what pace',
};

/** The page of one monitor in Temporal's UI. Markdown. */
export function monitorStoryOf({ registry, next, tick, cycle, places, counts = {}, checkedAt, failure }: MonitorStatus): string {
  const states = availabilityStates.filter((state) => (counts[state] ?? 0) > 0).map((state) => `${counts[state]} ${state}`);
  const when = next.at === undefined ? '' : ` at ${next.at}`;
  return [
    `**${registry}**: ${places === undefined ? 'nothing checked yet' : `${places} places`}${tick === undefined ? '' : `, one check every ${tick}`}${cycle === undefined ? '' : `, each once in ${cycle}`}`,
    states.length === 0 ? '' : `${states.join(', ')}; last checks ended ${checkedAt}`,
    next.step === 'wait' ? `${waits[next.reason] ?? next.reason}${next.reason === 'Paused' || next.reason === 'NotConfigured' ? '' : when}` : `now: ${next.step} (${next.reason})`,
    failure === undefined ? '' : `failed ${failure.attempts} times: ${failure.code} (${failure.side}): ${failure.message}`,
    'Which images: `kubectl get cisa`, `kubectl get ia`. To check now send `checkNow`, with `{"image": "..."}` or without.',
  ]
    .filter((line) => line !== '')
    .join('\n\n');
}

/** One line for a list. */
export function monitorSummary(registry: string, pace: Pace): string {
  return `checks images on ${registry}, one every ${formatDuration(tickMs(pace))}`.slice(0, 200);
}

/** The line beside a timer or an activity. */
export function nextSummary(step: MonitorStep, { registry, last }: Pick<MonitorState, 'registry' | 'last'>): string {
  const of = last === undefined ? registry : `${last.places} on ${registry}`;
  return `${step.reason}: next of ${of}`;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
