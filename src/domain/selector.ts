import { parseRequirements, type Requirement } from './selector-grammar.js';

/** A ready Kubernetes label selector: whether a map of labels or annotations meets every requirement. */
export type Selector = (labels: Readonly<Record<string, string>>) => boolean;

/** A selector, or why the text is none: one sentence for a condition. */
export type SelectorResult = { readonly selector: Selector } | { readonly problem: string };

/**
 * Reads a label selector.
 *
 * @param text requirements joined by `,`: `app in (a,b), tier=x, !legacy`; blanks only select everything
 * @returns undefined when the API server would refuse it too
 */
export function parseSelector(text: string): Selector | undefined {
  const result = readSelector(text);
  return 'selector' in result ? result.selector : undefined;
}

/** As `parseSelector`, but says what is wrong. */
export function readSelector(text: string): SelectorResult {
  const parsed = parseRequirements(text);
  if ('problem' in parsed) return parsed;

  const { requirements } = parsed;
  return { selector: (labels) => requirements.every((requirement) => meets(requirement, labels)) };
}

function meets({ key, operator, values }: Requirement, labels: Readonly<Record<string, string>>): boolean {
  // not `labels[key]`: keys such as `constructor` are legal names
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'in':
      return value !== undefined && values.includes(value);
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'above':
      return compareIntegers(value, values[0], (found, bound) => found > bound);
    case 'below':
      return compareIntegers(value, values[0], (found, bound) => found < bound);
  }
}

function compareIntegers(value: string | undefined, bound: string | undefined, holds: (found: bigint, bound: bigint) => boolean): boolean {
  const found = parseInt64(value);
  const limit = parseInt64(bound);
  return found !== undefined && limit !== undefined && holds(found, limit);
}

/** A decimal integer of 64 bits; annotations may carry a sign, which label values cannot. */
function parseInt64(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[+-]?[0-9]+$/.test(text)) return undefined;
  const number = BigInt(text.replace('+', ''));
  return number === BigInt.asIntN(64, number) ? number : undefined;
}
