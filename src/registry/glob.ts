type Token = 'star' | 'any' | { readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] };

/**
 * Matches a shell pattern against one label of a host name: `*`, `?`, and classes `[a-c]`, `[^a-c]`.
 * A malformed pattern matches nothing. Takes time proportional to both lengths multiplied, whatever the
 * pattern: it comes from Secrets that tenants write.
 *
 * @see https://pkg.go.dev/path/filepath#Match, which the kubelet uses
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const tokens = tokenise(pattern);
  if (tokens === undefined) return false;

  let token = 0;
  let at = 0;
  // where to go back to: the last star, and how much of the text it has swallowed
  let star = -1;
  let swallowed = 0;
  while (at < text.length) {
    if (token < tokens.length && accepts(tokens[token]!, text[at]!)) {
      token++;
      at++;
    } else if (tokens[token] === 'star') {
      star = token++;
      swallowed = at;
    } else if (star !== -1) {
      token = star + 1;
      at = ++swallowed;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === 'star');
}

function accepts(token: Token, character: string): boolean {
  if (token === 'star') return false;
  if (token === 'any') return true;
  return token.ranges.some(([low, high]) => low <= character && character <= high) !== token.negated;
}

function tokenise(pattern: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === '*') tokens.push('star');
    else if (character === '?') tokens.push('any');
    else if (character === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end === -1) return undefined;
      tokens.push(classOf(pattern.slice(at + 1, end)));
      at = end;
    } else tokens.push({ negated: false, ranges: [[character, character]] });
  }
  return tokens;
}

function classOf(written: string): Token {
  const negated = written.startsWith('^');
  const members = negated ? written.slice(1) : written;
  const ranges: [string, string][] = [];
  for (let at = 0; at < members.length; at++) {
    const isRange = members[at + 1] === '-' && at + 2 < members.length;
    ranges.push([members[at]!, members[isRange ? at + 2 : at]!]);
    if (isRange) at += 2;
  }
  return { negated, ranges };
}
