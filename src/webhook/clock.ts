/** The time, as an argument: tests turn it by hand. */
export interface Clock {
  /** milliseconds since the epoch */
  now(): number;
  /** Resolves after so many milliseconds, or as soon as the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
