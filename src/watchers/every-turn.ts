/**
 * Takes one step after the other, also after one that failed: what one object meets keeps no other from its turn.
 *
 * @throws the first error, after every step had its turn
 */
export async function everyTurn(steps: readonly (() => Promise<void> | void)[]): Promise<void> {
  let failed: { readonly error: unknown } | undefined;
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failed ??= { error };
    }
  }
  if (failed !== undefined) throw failed.error;
}
