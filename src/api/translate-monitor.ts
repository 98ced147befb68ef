import type { MonitorRule, Problem } from '../domain/rule.js';
import type { Field } from './field.js';
import type { RuleBase } from './translate.js';
import { translateFilters, type ItemKey } from './translate-filter.js';
import { readDuration } from './translate-place.js';

/** Reads the spec of a `ClusterImageSetAvailability`. */
export function translateMonitor(spec: Field, base: RuleBase, keys: readonly ItemKey[], problems: Problem[]): MonitorRule {
  const expiry = readDuration(spec.get('unusedImageExpiry').blaming({ disables: 'nothing' }), 'unused images stay tracked for ever until then');
  return {
    ...base,
    type: 'monitor',
    ...translateFilters(spec, keys),
    unusedExpiryMs: expiry === 'unreadable' || expiry === undefined ? 0 : expiry,
    problems,
  };
}
