/** How long a caller waits: for its turn, for what others wait for too, and beyond its own leaving. */
import { failure, isDeadline, type Asked } from './errors.js';
import type { Call } from '../registry.js';

const lingerMs = 5000;

/** A turn that did not come before the caller's deadline says nothing of the registry. */
export async function beforeDeadline<T>(turn: Promise<T> | undefined, asked: Asked, call: Call): Promise<T> {
  try {
    return (await turn) as T;
  } catch (error) {
    if (!call.signal.aborted || !isDeadline(call.signal)) throw error;
    throw failure('timeout', `${asked.what} not asked for: no turn at ${call.side} ${asked.host} before the deadline`, asked, call, { isUnasked: true });
  }
}

/** Waits for something that goes on, no longer than this caller can wait. */
export function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

/** Aborts a while after the caller does. */
export function lingering(signal: AbortSignal): { readonly signal: AbortSignal } {
  if (signal.aborted) return { signal };
  const late = new AbortController();
  signal.addEventListener('abort', () => setTimeout(() => late.abort(signal.reason), lingerMs).unref(), { once: true });
  return late;
}
