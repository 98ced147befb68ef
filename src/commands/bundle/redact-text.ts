/**
 * Texts without fields: logs, scripts, files in a form nobody here reads. In doubt more is taken out than had to be.
 *
 * 1. A line that begins with a name, as in YAML and files of variables, has a value up to its end, and what is indented
 *    below it belongs to it.
 * 2. Elsewhere a name has a value up to where its quotes or its word end.
 * 3. Some secrets are known by their shape.
 */
import { isHeader, isSecret } from './secret-names.js';

export const gap = '(redacted)';

/** @returns as many lines, some of them empty now */
export function withoutSecrets(lines: readonly string[]): readonly string[] {
  const keys = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
  const text = lines.join('\n').replace(keys, (key) => gap + key.replace(/[^\n]/g, ''));
  return withoutShapes(withoutValues(text.split('\n')).join('\n')).split('\n');
}

/** Step 1: front, name, and what stands between it and its value. A flag may stand alone in its line. */
const keyed = /^([ \t]*(?:-[ \t]+)*)(?:export[ \t]{1,9})?(["']?)(-{0,2}[\w.][\w.-]{0,100})\2[ \t]{0,20}(=|:(?=[ \t]|$))[ \t]*/;

function withoutValues(lines: readonly string[]): readonly string[] {
  const left: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const found = keyed.exec(line);
    const [whole = '', front = '', , name = '', sign] = found ?? [];
    const value = line.slice(whole.length);
    const isOurs = found !== null && (isSecret(name) || (name === 'value' && isSecret(namedIn(lines[at - 1]))));
    if (isFlagItem(lines[at - 1]) && /^[ \t]*-[ \t]/.test(line)) left.push(line.replace(/-[ \t].*/, `- ${gap}`));
    else if (!isOurs || (sign === ':' && isNested(value))) left.push(withoutInline(line));
    else {
      const below = sign === '=' ? at + 1 : endBelow(lines, at + 1, front);
      if (isNothing(value) || (isHead(value) && isMap(lines.slice(at + 1, below)))) left.push(line);
      else {
        left.push(`${whole.trimEnd()}${sign === '=' ? '' : ' '}${gap}`);
        for (; at + 1 < below; at++) left.push('');
      }
    }
  }
  return left;
}

/** What has names of its own, each of which is judged. */
function isNested(value: string): boolean {
  return /^(?:\[[ \t]*)?\{[ \t]*(?:$|\\*["']?[\w./-]+\\*["']?[ \t]*:)/.test(value);
}

/** Nothing yet, or the front of a list in JSON: it goes on below. */
function isHead(value: string): boolean {
  return /^\[?[ \t]*$/.test(value);
}

/** Nobody's secret. */
function isNothing(value: string): boolean {
  return /^(?:true|false|null|~|""|''|\[\]|\{\}),?[ \t]*$/.test(value);
}

/** Lines with names of their own, by the first that is no comment; none at all as well. */
function isMap(lines: readonly string[]): boolean {
  const line = lines.find((each) => !/^[ \t]*(?:#|$)/.test(each));
  return line === undefined || /^[ \t]*(?:-[ \t]+)*(?:["']?[\w./-]+["']?[ \t]*:(?:[ \t]|$)|\{)/.test(line);
}

/** @returns the number of the first line that does not belong to the name any more */
function endBelow(lines: readonly string[], from: number, front: string): number {
  let end = from;
  for (let at = from; at < lines.length; at++) {
    const line = lines[at]!;
    const isBlank = line.trim() === '';
    const indent = line.length - line.trimStart().length;
    // items of a list may stand as far left as its name
    const isItem = indent === front.length && /^[ \t]*-[ \t]/.test(line) && !front.includes('-');
    if (!isBlank && indent <= front.length && !isItem) break;
    if (!isBlank) end = at + 1;
  }
  return end;
}

/** `- --password`, whose value is the next item. */
function isFlagItem(line = ''): boolean {
  const [, name] = /^[ \t]*-[ \t]+["']?--?([\w.-]{1,100})["']?[ \t]*$/.exec(line) ?? [];
  return name !== undefined && isSecret(name);
}

/** `- name: DB_PASSWORD`, whose value is the next line. */
function namedIn(line = ''): string {
  return /^[ \t]*(?:-[ \t]+)?["']?name["']?[ \t]*:[ \t]*["']?([\w.-]{1,100})["']?,?[ \t]*$/.exec(line)?.[1] ?? '';
}

/** Step 2. Each has the groups `open`, a quote before the name, `name`, and `close`, one behind it. */
const inline: readonly RegExp[] = [
  /(?<open>)(?<![\w-])--?(?<name>[A-Za-z][\w.-]{0,100})(?:[ \t]{1,20}|(?<close>\\{0,8}["'])[ \t]{0,20},[ \t]{0,20})(?=\S)/g,
  /(?<open>)(?<close>)\\{0,8}"name\\{0,8}"[ \t]{0,9}:[ \t]{0,9}\\{0,8}"(?<name>[\w.-]{1,100})\\{0,8}"[ \t]{0,9},[ \t]{0,9}\\{0,8}"value\\{0,8}"[ \t]{0,9}:[ \t]{0,9}/g,
  /(?<open>\\{0,8}["']-{0,2})?(?<![\w.])(?<name>[\w.][\w.-]{0,100})(?<close>\\{0,8}["'])?[ \t]{0,20}(?:=>|[:=])[ \t]{0,20}(?=\S)/g,
];

function withoutInline(line: string): string {
  return inline.reduce((text, pattern) => replaced(text, pattern), line);
}

function replaced(text: string, pattern: RegExp): string {
  let [left, at] = ['', 0];
  pattern.lastIndex = 0;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const { name = '', open = '', close = '' } = found.groups ?? {};
    const from = found.index + found[0].length;
    if (!isSecret(name) || (!found[0].includes('=') && isNested(text.slice(from, from + 200)))) continue;
    const isToTheEnd = text[found.index - 1] === ';' || isHeader(name);
    const value = valueAt(text, from, { isToTheEnd, open: close === '' ? open.replace(/-+$/, '') : '' });
    left += text.slice(at, from) + value.shown;
    at = value.end;
    pattern.lastIndex = at;
  }
  return left + text.slice(at);
}

interface Value {
  /** where it ends */
  readonly end: number;
  /** what stands there instead */
  readonly shown: string;
}

/** @param open the quote that name and value share */
function valueAt(text: string, from: number, { open, isToTheEnd }: { readonly open: string; readonly isToTheEnd: boolean }): Value {
  const quote = /^\\{0,8}["']/.exec(text.slice(from, from + 9))?.[0];
  const isEscaped = quote !== undefined && quote.length > 1;
  if (open !== '') return { end: Math.max(closing(text, from, open), wordEnd(text, from)), shown: gap };
  if (isEscaped) return { end: after(text, closing(text, from + quote.length, quote), quote), shown: quote + gap + quote };
  if (quote !== undefined) return { end: wordEnd(text, from, ',;}])&'), shown: quote + gap + quote };
  if (text[from] === '[') return { end: listEnd(text, from), shown: gap };
  return { end: isToTheEnd ? text.length : wordEnd(text, from), shown: gap };
}

/** @param quote with as many backslashes as it has; @returns where it stands again, else the end of the text */
function closing(text: string, from: number, quote: string): number {
  for (let at = text.indexOf(quote, from); at !== -1; at = text.indexOf(quote, at + 1)) {
    if (!isEscapedAt(text, at)) return at;
  }
  return text.length;
}

function isEscapedAt(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1 || (text[at] === '\\' && backslashes > 0);
}

function after(text: string, at: number, quote: string): number {
  return Math.min(text.length, at + quote.length);
}

/** The end of a word as shells read it: quotes hold blanks, a backslash takes what follows. @param stops end it outside quotes */
function wordEnd(text: string, from: number, stops = ''): number {
  let at = from;
  while (at < text.length && !/\s/.test(text[at]!) && !stops.includes(text[at]!)) at = stepped(text, at);
  return Math.min(at, text.length);
}

function listEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== ']') at = stepped(text, at);
  return Math.min(at + 1, text.length);
}

/** Past one character, or past all that quotes hold. */
function stepped(text: string, at: number): number {
  const char = text[at]!;
  if (char === '\\') return at + 2;
  if (char === "'") return after(text, indexOrEnd(text, "'", at + 1), "'");
  return char === '"' ? after(text, closing(text, at + 1, '"'), '"') : at + 1;
}

function indexOrEnd(text: string, char: string, from: number): number {
  const at = text.indexOf(char, from);
  return at === -1 ? text.length : at;
}

/** Step 3. */
function withoutShapes(text: string): string {
  return text
    .replace(/\b(Bearer|Basic)(\s+)[^\s,;"'\\]+/gi, `$1$2${gap}`)
    .replace(/((?:^|\s)(?:-u|--(?:proxy-)?user)[ \t=]{1,9})(?:'[^'\n]*:[^'\n]*'?|"[^"\n]*:[^"\n]*"?|[^\s:'"]+:\S+)/g, `$1${gap}`)
    .replace(/\b(\w{1,20}:\/\/)[^\s/:@"'<>]*:[^\s"<>]*@(?!sha\d+:)/g, `$1${gap}@`)
    .replace(/\b(\w{1,20}:\/\/)[^\s/@"'<>]*@/g, `$1${gap}@`)
    // me:password@registry; nginx:1.27@sha256:... is an image
    .replace(/\b[\w.+-]+:[^\s:/@"'<>]+@(?!sha\d+:)(?=[\w-]+[.:/])/g, `${gap}@`)
    .replace(/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, gap)
    .replace(/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bglpat-[\w-]{16,}|\bdckr_pat_[\w-]{16,}/g, gap)
    .replace(/([?&])[\w.-]+=[^\s&"'<>\\]+/g, `$1${gap}`);
}
