/**
 * The grammar of Kubernetes label selectors:
 *
 *     selector    = [ requirement { "," requirement } ]
 *     requirement = [ "!" ] key | key ( "=" | "==" | "!=" | ">" | "<" ) [ value ] | key ( "in" | "notin" ) "(" [ values ] ")"
 *
 * A value left out is the empty value, in a list too: `(,a)` holds the empty value and `a`. The words `in` and
 * `notin` are keys and values where no operator can stand.
 *
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */

/** One requirement; `=`, `==` and `!=` are lists of one. `above` and `below` carry one decimal integer. */
export interface Requirement {
  readonly key: string;
  readonly operator: 'exists' | 'absent' | 'in' | 'notin' | 'above' | 'below';
  readonly values: readonly string[];
}

export type ParsedRequirements = { readonly requirements: readonly Requirement[] } | { readonly problem: string };

const operators: Readonly<Record<string, Requirement['operator']>> = {
  '=': 'in',
  '==': 'in',
  in: 'in',
  '!=': 'notin',
  notin: 'notin',
  '>': 'above',
  '<': 'below',
};

const words = /==|!=|[=!(),<>]|[^ \t\r\n=!(),<>]+/g;
const namePart = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const prefixPart = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const longestPrefix = 253;
const longestInt64 = 2n ** 63n - 1n;

/** Reads a whole selector; the problem names what was found and what was expected. */
export function parseRequirements(text: string): ParsedRequirements {
  try {
    return { requirements: selector(new Tokens(text)) };
  } catch (error) {
    if (error instanceof Unreadable) return { problem: error.message };
    throw error;
  }
}

/** Leaves the descent at the first problem; never leaves this file. */
class Unreadable extends Error {}

/** The words of a text, read one by one; undefined at the end. Blanks only separate them. */
class Tokens {
  readonly #words: readonly string[];
  #position = 0;

  constructor(text: string) {
    this.#words = text.match(words) ?? [];
  }

  peek(): string | undefined {
    return this.#words[this.#position];
  }

  next(): string | undefined {
    return this.#words[this.#position++];
  }

  take(expected: string): boolean {
    if (this.peek() !== expected) return false;
    this.#position++;
    return true;
  }
}

function selector(tokens: Tokens): Requirement[] {
  if (tokens.peek() === undefined) return [];

  const requirements = [requirement(tokens)];
  while (tokens.take(',')) requirements.push(requirement(tokens));
  if (tokens.peek() !== undefined) throw unexpected(tokens.peek(), '"," or the end');
  return requirements;
}

function requirement(tokens: Tokens): Requirement {
  if (tokens.take('!')) return { key: key(tokens), operator: 'absent', values: [] };

  const name = key(tokens);
  if (tokens.peek() === undefined || tokens.peek() === ',') return { key: name, operator: 'exists', values: [] };

  const word = tokens.next() ?? '';
  const operator = Object.hasOwn(operators, word) ? operators[word] : undefined;
  if (operator === undefined) throw unexpected(word, 'an operator (=, ==, !=, in, notin, <, >)');
  const values = word === 'in' || word === 'notin' ? list(tokens) : [single(tokens)];
  return { key: name, operator, values: values.map((value) => checked(value, operator)) };
}

function key(tokens: Tokens): string {
  const word = tokens.next();
  if (word === undefined || isSpecial(word)) throw unexpected(word, 'a key');

  const slash = word.indexOf('/');
  const prefix = word.slice(0, Math.max(slash, 0));
  const isLegal = namePart.test(word.slice(slash + 1)) && (slash === -1 || (prefix.length <= longestPrefix && prefixPart.test(prefix)));
  if (!isLegal) throw new Unreadable(`"${word}" is not a legal key`);
  return word;
}

function single(tokens: Tokens): string {
  const word = tokens.peek();
  return word === undefined || word === ',' ? '' : plainWord(tokens);
}

function list(tokens: Tokens): string[] {
  if (!tokens.take('(')) throw unexpected(tokens.peek(), '"("');
  const values = tokens.peek() === ')' ? [''] : items(tokens);
  if (!tokens.take(')')) throw unexpected(tokens.peek(), '"," or ")"');
  return values;
}

/** Reads commas in pairs, as the API server does: `(a,,b)` holds the empty value, `(a,,)` is refused. */
function items(tokens: Tokens): string[] {
  const values: string[] = [];
  for (;;) {
    if (tokens.take(',')) {
      if (values.length === 0) values.push('');
      if (tokens.peek() === ')') return [...values, ''];
      if (tokens.take(',')) values.push('');
    } else {
      values.push(plainWord(tokens));
      if (tokens.peek() !== ',') return values;
    }
  }
}

function plainWord(tokens: Tokens): string {
  const word = tokens.next();
  if (word === undefined || isSpecial(word)) throw unexpected(word, 'a value');
  return word;
}

function checked(value: string, operator: Requirement['operator']): string {
  if (value !== '' && !namePart.test(value)) throw new Unreadable(`"${value}" is not a legal label value`);
  const isOrder = operator === 'above' || operator === 'below';
  if (isOrder && !(/^[0-9]+$/.test(value) && BigInt(value) <= longestInt64)) throw new Unreadable(`"${value}" is not an integer`);
  return value;
}

function isSpecial(word: string): boolean {
  return /^[=!(),<>]/.test(word);
}

function unexpected(found: string | undefined, expected: string): Unreadable {
  return new Unreadable(`found ${found === undefined ? 'the end' : `"${found}"`}, expected ${expected}`);
}
