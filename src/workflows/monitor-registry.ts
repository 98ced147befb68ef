/**
 * One monitor per registry and cluster: a check per tick, for ever. It is no Schedule, because the pace adapts: to what
 * the registry asks for, and to how much there is to check. Every decision is made by the domain (`nextMonitorStep`),
 * every message is folded in by it; this shell performs. Which images there are is the activity's to know.
 */
import { allHandlersFinished, CancellationScope, condition, continueAsNew, isCancellation, log, patched, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { acceptChecks, acceptChecksFailure, nextMonitorStep, reviveMonitor, type ChecksTask, type MonitorBirth, type MonitorRunFacts, type MonitorState } from '../domain/monitor-run.js';
import { monitorStatusOf, monitorStoryOf, nextSummary } from '../domain/monitor-story.js';
import type { MonitorActivities } from '../temporal/activities.js';
import { monitorQueue } from '../temporal/contract.js';
import { failureOf } from '../temporal/failures.js';
import { installMonitorHandlers } from './monitor-handlers.js';
import { policiesAt } from './policies.js';

/** The one mutable thing of a monitor: its state, whether a message came, and how to call off the go under way where that may be. */
export interface Monitor {
  state: MonitorState;
  woken: boolean;
  callOff?: () => void;
}

export async function monitorRegistry(input: MonitorBirth | MonitorState): Promise<void> {
  const monitor: Monitor = { state: reviveMonitor(input, Date.now()), woken: false };
  const plan = () => nextMonitorStep(monitor.state, Date.now(), runFacts());
  installMonitorHandlers(monitor, plan);
  // Signals that came with the start are handled after the first pause of this function: let them in before deciding.
  await Promise.resolve();

  for (;;) {
    monitor.woken = false;
    const step = plan();
    setCurrentDetails(monitorStoryOf(monitorStatusOf(monitor.state, step)));
    switch (step.kind) {
      case 'check':
        await check(monitor, step.task, nextSummary(step, monitor.state));
        break;
      case 'wait':
        await condition(() => monitor.woken, step.ms, { summary: nextSummary(step, monitor.state) });
        break;
      case 'renew':
        await condition(allHandlersFinished);
        return continueAsNew<typeof monitorRegistry>(monitor.state);
      case 'done':
        return; // no await since plan(): a signal that arrives meanwhile makes the server refuse this end
    }
  }
}

async function check(monitor: Monitor, task: ChecksTask, summary: string): Promise<void> {
  const { cluster, registry, settings, pace = 1 } = monitor.state;
  const { asked } = task;
  // among monitors: what somebody asked for goes first
  const priority = { priorityKey: asked === undefined ? 5 : 3, fairnessKey: registry.slice(0, longestFairnessKey) };
  const go = new Go(monitor, asked);
  const { checkBatch } = proxyActivities<MonitorActivities>({ ...policiesAt(pace).checkBatch, ...go.policy, taskQueue: monitorQueue(cluster), priority });
  try {
    const report = await go.run(() => checkBatch.executeWithOptions({ summary }, [task]));
    const unmade = report.unmade !== undefined && patched('keeps-unmade-wishes') ? report.unmade : 0;
    monitor.state = acceptChecks(monitor.state, report, doneBy(monitor, asked), Date.now(), { madeAt: isRepaced(monitor, settings) ? task : undefined, unmade });
  } catch (error) {
    if (isCancellation(error)) {
      if (go.isCalledOff) return; // before anybody began: nothing is different
      throw error;
    }
    const failure = failureOf(error, cluster);
    log.warn('the checks of a registry cannot be made, trying again later', { registry, ...failure });
    const how = { waitsATick: patched('failures-wait-a-tick'), keepsWishes: patched('keeps-wishes-that-failed') };
    monitor.state = acceptChecksFailure(monitor.state, failure, doneBy(monitor, asked), Date.now(), how);
  }
}

/**
 * One go under way. At a fast pace it takes a minute: it is called off for what somebody asks for, for a pause and for
 * another pace, and tells what it did until then. One that carries out wishes is soon done. Once, all had to wait.
 */
class Go {
  readonly #monitor: Monitor;
  readonly #scope = new CancellationScope();
  readonly #givesWay: boolean;
  #isCalledOff = false;

  constructor(monitor: Monitor, asked: ChecksTask['asked']) {
    this.#monitor = monitor;
    this.#givesWay = asked === undefined && patched('goes-give-way');
  }

  /** Who checks has the last word, so that no two goes of a registry are under way. */
  get policy() {
    return this.#givesWay ? ({ cancellationType: 'WAIT_CANCELLATION_COMPLETED' } as const) : {};
  }

  /** By us, and not with the whole monitor. */
  get isCalledOff(): boolean {
    return this.#isCalledOff && !CancellationScope.current().consideredCancelled;
  }

  async run<T>(start: () => Promise<T>): Promise<T> {
    if (!this.#givesWay) return start();
    this.#monitor.callOff = () => {
      this.#isCalledOff = true;
      this.#scope.cancel();
    };
    const going = this.#scope.run(start);
    going.catch(() => undefined); // where the monitor itself is cancelled nobody waits for it
    try {
      return await Promise.race([going, CancellationScope.current().cancelRequested]);
    } finally {
      this.#monitor.callOff = undefined;
    }
  }
}

/** What was asked for when the checks began: what came meanwhile stays. Once, a wish that named nothing was lost. */
function doneBy({ state }: Monitor, asked: MonitorState['asked']): MonitorState['asked'] {
  const isNameless = asked === undefined && state.asked?.length === 0;
  return isNameless && !patched('keeps-wishes') ? [] : asked;
}

/** Whether a pace was told in the middle of checks. Once, it was minded an hour later, when it was told again. */
function isRepaced({ state }: Monitor, before: MonitorState['settings']): boolean {
  return state.settings !== before && patched('minds-a-new-pace');
}

const longestFairnessKey = 64; // bytes, by the server

function runFacts(): MonitorRunFacts {
  const { runStartTime, continueAsNewSuggested } = workflowInfo();
  return { startedAt: runStartTime.getTime(), isFull: continueAsNewSuggested };
}
