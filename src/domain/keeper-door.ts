/** Signals come from other releases, and from people: what does not read as one is dropped, never believed. */
import type { Claim } from './claim.js';
import type { Consent, Observed, Release } from './task.js';

export function isClaim(payload: unknown): payload is Claim {
  return (
    isObject(payload) &&
    payload['v'] === 1 &&
    ['cluster', 'destination', 'publishAs', 'image', 'copy', 'referrers', 'drift'].every((field) => isText(payload[field])) &&
    ['generation', 'retentionMs'].every((field) => Number.isFinite(payload[field])) &&
    ['cleanup', 'shared'].every((field) => typeof payload[field] === 'boolean') &&
    ['rules', 'sources', 'platforms'].every((field) => Array.isArray(payload[field])) &&
    (payload['sources'] as unknown[]).every(isText) &&
    (payload['platforms'] as unknown[]).every((platform) => isObject(platform) && isText(platform['architecture']))
  );
}

export function isRelease(payload: unknown): payload is Release {
  return isObject(payload) && payload['v'] === 1 && isText(payload['cluster']) && Number.isFinite(payload['generation']);
}

export function isObserved(payload: unknown): payload is Observed {
  if (!isObject(payload) || payload['v'] !== 1 || !isText(payload['runId'])) return false;
  if (payload['asking'] === true) return payload['kind'] === 'delete' && isText(payload['digest']);
  const { kind, outcome, untold = [] } = payload;
  if (!isObject(outcome) || !Array.isArray(untold)) return false;
  if (outcome['result'] === 'failed') return isObject(outcome['failure']) && isText(outcome['failure']['code']);
  if (kind === 'delete') return isDeletion(outcome);
  return isText(outcome['result']) && isText(outcome['digest']) && Array.isArray(outcome['platforms']) && Array.isArray(outcome['missingPlatforms']);
}

export function isConsent(payload: unknown): payload is Consent {
  if (!isObject(payload) || payload['v'] !== 1 || !isText(payload['runId'])) return false;
  const { refused } = payload;
  return refused === undefined || (isObject(refused) && isText(refused['reason']) && isText(refused['message']));
}

function isDeletion({ result, digest, block, by = [] }: Record<string, unknown>): boolean {
  if (result === 'blocked') return isObject(block) && isText(block['reason']) && isText(block['message']) && Array.isArray(by) && by.every(isText);
  return (result === 'deleted' || result === 'absent') && isText(digest);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}
