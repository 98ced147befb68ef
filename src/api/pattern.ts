import { RE2JS, RE2JSException } from 're2js';
import type { Matcher } from '../domain/rule.js';

/** A ready matcher, or what is wrong with the text. */
export type Compiled = { readonly matcher: Matcher; readonly error?: undefined } | { readonly matcher?: undefined; readonly error: string };

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
  const alone = compile(pattern);
  const whole = compile(`^(${pattern})$`);
  if (typeof alone === 'string') return { error: alone };
  if (typeof whole === 'string') return { error: whole };
  return { matcher: (text) => whole.test(text) };
}

/** Why a text is no RE2 expression; undefined when it is one. The API server checks the same. */
export function patternError(pattern: string): string | undefined {
  const compiled = compile(pattern);
  return typeof compiled === 'string' ? compiled : undefined;
}

function compile(pattern: string): RE2JS | string {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    // anything but a syntax error would be a flaw of the engine: the pattern is refused all the same
    if (!(error instanceof RE2JSException)) return 'it cannot be compiled';
    return error.message.replace(/^error parsing regexp: /, '').replaceAll('`', "'");
  }
}
