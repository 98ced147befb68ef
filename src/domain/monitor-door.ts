/** Signals come from other releases, and from people: what does not read as one is dropped, never believed. */
import type { MonitorSettings } from './monitor-run.js';

export function isMonitorSettings(payload: unknown): payload is MonitorSettings {
  if (!isObject(payload) || payload['v'] !== 1) return false;
  const { intervalMs, maxPerInterval } = payload;
  return isAbove0(intervalMs) && intervalMs <= longestIntervalMs && isAbove0(maxPerInterval) && maxPerInterval >= 1;
}

const longestIntervalMs = 2 ** 63 / 1e6; // what a duration can say; a turn beyond what a date can say could not be told

/** @returns the image, if one is named; false when it does not read */
export function readCheckNow(payload: unknown): { readonly image?: string } | false {
  if (payload === undefined || payload === null || payload === '') return {};
  if (!isObject(payload)) return false;
  const { image } = payload;
  if (image === undefined) return {};
  return typeof image === 'string' && image.length <= longestName ? { image } : false;
}

const longestName = 1024;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAbove0(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}
