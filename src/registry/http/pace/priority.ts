import type { Call } from '../../registry.js';

/** Who goes first, in order: what a Pod waits for, what has been started, what may take its time. */
export const priorities = ['probe', 'publish', 'waiting', 'copy', 'check', 'delete'] as const;

export type Priority = (typeof priorities)[number];

/**
 * The priority of one request.
 *
 * @param isPublishing it puts a manifest: the last step of a copy whose bytes are there already
 */
export function priorityOf({ purpose, urgency }: Pick<Call, 'purpose' | 'urgency'>, isPublishing = false): Priority {
  if (purpose === 'verify') return 'publish';
  if (purpose !== 'copy') return purpose;
  if (isPublishing) return 'publish';
  return urgency === 'waiting' ? 'waiting' : 'copy';
}

/** Whether it can wait for a quota to fill up again: no Pod waits for it, and nothing is left half done. */
export function isBackground(priority: Priority): boolean {
  return priority === 'copy' || priority === 'check' || priority === 'delete';
}
