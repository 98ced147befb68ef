/** A deletion is done when the registry answers that the tag is missing; several need a while for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../domain/digest.js';
import type { DeletionTask } from './task.js';

const usualReadBackMs = 30_000;
const firstPauseMs = 250;

/** `moved`: the tag has something else meanwhile; `still`: it has what it had, all the time. */
export type ReadBack = 'gone' | 'moved' | 'still';

/**
 * Asks for the tag until it is missing.
 *
 * @param expected what it had
 */
export async function readBack({ registry, at, as, call, readBackMs = usualReadBackMs }: DeletionTask, expected: Digest): Promise<ReadBack> {
  let leftMs = readBackMs;
  for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
    const seen = await registry.head(at, as, call);
    if (seen === 'missing') return 'gone';
    if (seen.digest !== expected) return 'moved';
    if (leftMs <= 0) return 'still';
    await sleep(Math.min(pauseMs, leftMs), undefined, { signal: call.signal });
    leftMs -= pauseMs;
  }
}
