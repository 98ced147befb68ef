import { ApplicationFailure, condition, defineQuery, defineSignal, defineUpdate, log, setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import { liveClaims } from '../domain/claims.js';
import { isClaim, isObserved, isRelease } from '../domain/keeper-door.js';
import type { Step } from '../domain/keeper.js';
import type { KeeperState } from '../domain/keeper-state.js';
import { acceptClaim, acceptObserved, acceptPause, acceptRelease, acceptResume, acceptResync, acceptRetry } from '../domain/keeper-messages.js';
import { statusOf, type KeeperStatus } from '../domain/keeper-story.js';
import type { Outcome } from '../domain/task.js';
import { queries, signals, updates } from '../temporal/contract.js';
import type { Keeper } from './keep-image.js';

/** Registers every handler at once: signals only change memory and wake the loop. Descriptions are the operator's manual. */
export function installHandlers(keeper: Keeper, plan: () => Step): void {
  const on = (name: string, description: string, handle: (payload: unknown) => void): void => {
    setHandler(defineSignal<[unknown]>(name), handle, { description });
  };
  const become = (state: KeeperState): void => {
    keeper.state = state;
    keeper.woken = true;
  };
  const dropped = (name: string): void => log.warn('signal does not read and was dropped', { signal: name });

  on(signals.claim, 'A cluster wants this destination: sent by managers, and renewed daily.', (payload) => {
    if (!isClaim(payload)) return dropped(signals.claim);
    const { state, answer } = acceptClaim(keeper.state, payload, Date.now());
    if (answer !== 'accepted') log.info('claim changes nothing', { cluster: payload.cluster, reason: answer });
    become(state);
  });
  on(signals.release, 'A cluster no longer wants this destination: only starts the retention clock.', (payload) => {
    if (!isRelease(payload)) return dropped(signals.release);
    become(acceptRelease(keeper.state, payload, Date.now()));
  });
  on(signals.observed, 'Last step of every copy and deletion: how it ended. Not for people.', (payload) => {
    if (!isObserved(payload)) return dropped(signals.observed);
    become(acceptObserved(keeper.state, payload, Date.now()));
  });
  on(signals.retry, 'Copy now, before its turn, with fast retries again. No payload. Always safe to send.', () => become(acceptRetry(keeper.state, Date.now())));
  on(signals.resync, 'Forget what was observed and look at the registry again; claims are kept. No payload. Use it instead of Reset.', () => become(acceptResync(keeper.state, Date.now())));
  on(signals.pause, 'Start no operation until resume; a running one finishes. No payload.', () => become(acceptPause(keeper.state, Date.now())));
  on(signals.resume, 'Work again. No payload.', () => become(acceptResume(keeper.state, Date.now())));
  setDefaultSignalHandler((name) => dropped(name));

  setHandler(defineQuery<KeeperStatus>(queries.status), () => statusOf(keeper.state, plan(), Date.now()), { description: 'What this keeper knows and does next: kuik status prints it.' });
  setHandler(defineUpdate<Outcome>(updates.retryNow), () => retryNow(keeper, become), {
    description: 'As retry, and answers how the copy ended. Refused while paused, and when nobody claims the destination.',
    validator: () => refuseIdle(keeper.state),
  });
}

/** An update may throw nothing but an ApplicationFailure: anything else retries the workflow task for ever. */
function refuseIdle(state: KeeperState): void {
  const why = idleReason(state);
  if (why !== undefined) throw ApplicationFailure.nonRetryable(why, 'invalid');
}

function idleReason({ paused, claims }: KeeperState): string | undefined {
  if (paused) return 'paused: send the signal resume first';
  return liveClaims(claims, Date.now()).length === 0 ? 'nobody claims this destination' : undefined;
}

async function retryNow(keeper: Keeper, become: (state: KeeperState) => void): Promise<Outcome> {
  const { ended } = keeper.state;
  become(acceptRetry(keeper.state, Date.now()));
  await condition(() => (keeper.state.ended > ended && keeper.state.hint === undefined) || idleReason(keeper.state) !== undefined);

  refuseIdle(keeper.state);
  const { failure, copy } = keeper.state;
  if (failure !== undefined) return { v: 1, result: 'failed', failure: failure.info };
  if (copy !== undefined) return copy.outcome;
  throw ApplicationFailure.nonRetryable('the copy left no outcome, look at its history', 'invalid');
}
