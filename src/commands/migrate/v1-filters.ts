/** Lists of patterns as a filter takes them. */
import { patternError } from '../../api/pattern.js';
import type { MigrationPlan } from '../documents/migrate.js';

type Remark = MigrationPlan['remarks'][number];

// of the schema
const longestPattern = 128;
const mostItems = 16;

/**
 * v1 matched anywhere in the text; here a pattern matches the whole of it. As short as may be: every character counts
 * for the longest that a filter takes.
 */
export function anywhere(pattern: string): string {
  // alternatives belong together, and a quotation must not swallow what follows
  if (/\||\\Q/.test(pattern)) return `.*(?:${pattern}).*`;
  const isAtFront = /^(?:\^|\.\*)(?![*+?{])/.test(pattern);
  return `${isAtFront ? '' : '.*'}${pattern}.*`;
}

/**
 * What compiles and fits; the rest is said, as it was written.
 *
 * @param form what becomes of a pattern that compiles
 */
export function usable(patterns: readonly string[], field: string, remarks: Remark[], form = (pattern: string): string => pattern): readonly string[] {
  return patterns.flatMap((pattern) => {
    const taken = form(pattern);
    const problem = patternError(pattern) ?? patternError(taken) ?? (taken.length > longestPattern ? `it is longer than ${longestPattern} characters${taken === pattern ? '' : `, as ${taken}`}` : undefined);
    if (problem !== undefined) remarks.push({ what: `${field}: ${pattern} cannot be taken over: ${problem}`, next: 'write it shorter, or split it, in the rule that is printed' });
    return problem === undefined ? [taken] : [];
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
