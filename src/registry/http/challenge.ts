/** One way in that a registry offers. Scheme and parameter names are in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Reads every challenge of an answer: several headers, several schemes in one header, commas inside quotes.
 * What does not parse ends that header; what stood before it counts.
 *
 * @see RFC 9110, section 11.6.1
 */
export function parseChallenges(header: string | readonly string[] | undefined): readonly Challenge[] {
  const headers = typeof header === 'string' ? [header] : (header ?? []);
  return headers.flatMap(parseHeader);
}

const separator = /[\s,]*/y;
const word = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const equals = /\s*=\s*(?!=|\s*(?:,|$))/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;
const token68 = /\s+[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/y;

function parseHeader(text: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const reader = new Reader(text);

  for (;;) {
    reader.take(separator);
    const name = reader.take(word)?.[0];
    if (name === undefined) return challenges;
    const current = challenges.at(-1);
    // a word is a parameter when `=` follows, else the next scheme
    if (current !== undefined && reader.take(equals)) {
      const value = reader.take(quoted)?.[1]?.replace(/\\(.)/g, '$1') ?? reader.take(word)?.[0];
      if (value === undefined) return challenges;
      current.parameters[name.toLowerCase()] ??= value;
    } else {
      challenges.push({ scheme: name.toLowerCase(), parameters: {} });
      reader.take(token68);
    }
  }
}

class Reader {
  #at = 0;
  constructor(readonly text: string) {}

  /** Takes what the pattern matches here, or nothing. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }
}
