/** Lists of patterns as a filter takes them. */
import { patternError } from '../../api/pattern.js';
import type { MigrationPlan } from '../documents/migrate.js';

type Remark = MigrationPlan['remarks'][number];

// of the schema
const longestPattern = 128;
const mostItems = 16;

/** What compiles and fits; the rest is said. */
export function usable(patterns: readonly string[], field: string, remarks: Remark[]): readonly string[] {
  return patterns.filter((pattern) => {
    const problem = patternError(pattern) ?? (pattern.length > longestPattern ? `it is longer than ${longestPattern} characters` : undefined);
    if (problem !== undefined) remarks.push({ what: `${field}: ${pattern} cannot be taken over: ${problem}`, next: 'write it shorter, or split it, in the rule that is printed' });
    return problem === undefined;
  });
}

/** The same in as few items as there may be; what is too much even then is said. */
export function packed(patterns: readonly string[], field: string, remarks: Remark[]): readonly string[] {
  if (patterns.length <= mostItems) return patterns;
  const items = joined(patterns);
  const left = items.slice(mostItems);
  if (left.length > 0) remarks.push({ what: `${field}: ${left.join('|')} is more than the ${mostItems} items a filter takes`, next: 'write another rule for it, or patterns that say more at once' });
  return items.slice(0, mostItems);
}

function joined(patterns: readonly string[]): readonly string[] {
  const items: string[] = [];
  for (const pattern of patterns) {
    const last = items.at(-1);
    if (last !== undefined && last.length + 1 + pattern.length <= longestPattern) items[items.length - 1] = `${last}|${pattern}`;
    else items.push(pattern);
  }
  return items;
}
