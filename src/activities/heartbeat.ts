import { Context } from '@temporalio/activity';
import type { Progress } from '../registry/copy-engine.js';

/** A beating heart: says what was last reported, also while work waits for its turn and nothing moves. */
export interface Heart {
  readonly progress: (progress: Progress) => void;
  readonly stop: () => void;
}

const everyMs = 5_000; // several times within the timeout of 30 s; cancellation arrives only with heartbeats

/** Beats at once, with every progress (the SDK thins them out), and steadily. Details are for people, never for resuming. */
export function beat(first: Progress): Heart {
  const context = Context.current();
  let last = first;
  context.heartbeat(last);
  const timer = setInterval(() => context.heartbeat(last), everyMs);
  return {
    progress: (progress) => {
      last = progress;
      context.heartbeat(last);
    },
    stop: () => clearInterval(timer),
  };
}
