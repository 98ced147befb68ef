/**
 * Runs work side by side. The first failure aborts the rest, and is thrown when all have ended: nothing of a
 * failed step goes on in the background.
 */
export async function together<T>(signal: AbortSignal, work: readonly ((signal: AbortSignal) => Promise<T>)[]): Promise<readonly T[]> {
  const stop = new AbortController();
  const linked = AbortSignal.any([signal, stop.signal]);
  let failed: { readonly error: unknown } | undefined;
  const running = work.map(async (run) => {
    try {
      return await run(linked);
    } catch (error) {
      failed ??= { error };
      stop.abort();
      throw error;
    }
  });
  await Promise.allSettled(running);
  if (failed !== undefined) throw failed.error;
  return Promise.all(running);
}
