import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { isFailure } from '../domain/failure.js';
import { toApplicationFailure } from './failures.js';

/** What the interceptor needs of the outside. */
export interface FailureInterceptorOptions {
  /** at least 0, less than 1 */
  readonly random: () => number;
  /** what no `Failure` describes: a bug, or a library that threw; its message stays here */
  readonly onUnexpected: (error: unknown, activity: { readonly type: string; readonly workflowId?: string }) => void;
}

/**
 * Activities throw domain failures, or whatever a library throws; this turns each into what a history may hold.
 * It is the outermost door: nothing reaches the server beside it.
 */
export function failureInterceptor(options: FailureInterceptorOptions): ActivityInterceptorsFactory {
  return (context) => ({ inbound: inbound(context, options) });
}

function inbound({ info, cancellationSignal }: Context, { random, onUnexpected }: FailureInterceptorOptions): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        if (isStop(error, cancellationSignal)) throw error;
        if (!isFailure(error)) onUnexpected(error, { type: info.activityType, workflowId: info.workflowExecution?.workflowId });
        throw toApplicationFailure(error, info.activityType, backoffMs(info, random()));
      }
    },
  };
}

/** An abort that the server, or our own shutdown, asked for passes through as it is. */
function isStop(error: unknown, signal: AbortSignal): boolean {
  if (error instanceof CancelledFailure) return true;
  return signal.aborted && error instanceof Error && !isFailure(error) && !(error instanceof ApplicationFailure) && error.name === 'AbortError';
}

/** The server's own back-off, spread by half in both directions: it adds no jitter, and an outage fails many at once. */
function backoffMs({ attempt, retryPolicy }: Context['info'], random: number): number | undefined {
  const { initialInterval, backoffCoefficient = 2, maximumInterval } = retryPolicy ?? {};
  const initialMs = numberOf(initialInterval);
  if (initialMs === undefined) return undefined;
  const steady = Math.min(initialMs * backoffCoefficient ** (attempt - 1), numberOf(maximumInterval) ?? Infinity);
  return Math.max(1, Math.round(steady * (0.5 + random)));
}

/** The server tells intervals in milliseconds. */
function numberOf(duration: unknown): number | undefined {
  return typeof duration === 'number' && Number.isFinite(duration) ? duration : undefined;
}
