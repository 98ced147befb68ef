import { RE2JS, RE2JSException } from 're2js';
import type { Matcher } from '../domain/rule.js';

/** A ready matcher, or what is wrong with the text, in a few words without the text itself around it. */
export type Compiled = { readonly matcher: Matcher; readonly error?: never } | { readonly matcher?: never; readonly error: string };

/**
 * Compiles a user's pattern to a matcher of whole texts: `^(` pattern `)$`.
 *
 * The pattern must compile on its own: `a)(b` would only do so inside our parentheses. Matching is linear in the
 * length of the text, so no pattern of a user can hold up a decision.
 *
 * @param pattern RE2 syntax; case-sensitive unless it says `(?i)`
 * @throws never
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function compilePattern(pattern: string): Compiled {
  try {
    RE2JS.compile(pattern);
    const compiled = RE2JS.compile(`^(${pattern})$`);
    return { matcher: (text) => compiled.test(text) };
  } catch (error) {
    return { error: describe(error) };
  }
}

function describe(error: unknown): string {
  // anything else than a syntax error is a flaw of the engine: the pattern is refused all the same
  if (!(error instanceof RE2JSException)) return 'the pattern cannot be compiled';
  return error.message.replace(/^error parsing regexp: /, '').replaceAll('`', "'");
}
