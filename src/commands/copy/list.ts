import { imageName, parseImageRef, type ImageName, type ImageRef } from '../../domain/image-ref.js';

/** One copy asked for. */
export interface Pair {
  readonly source: ImageName;
  readonly destination: ImageName;
}

/** Either all pairs, or everything that is wrong with them. */
export type Pairs = { readonly pairs: readonly Pair[] } | { readonly problems: readonly string[] };

/**
 * Reads a list of copies: a line each, source and destination with blanks between; `#` starts a comment where a word could start.
 *
 * @param name of the list, for messages: `images.txt:3: ...`
 */
export function readList(text: string, name: string): Pairs {
  const pairs: Pair[] = [];
  const problems: string[] = [];
  const lineOf = new Map<ImageName, number>();

  for (const [at, line] of text.split(/\r?\n/).entries()) {
    const words = line.replace(/(^|\s)#.*$/, '').split(/\s+/).filter((word) => word !== '');
    if (words.length === 0) continue;
    const read = readPair(words);
    const place = `${name}:${at + 1}: `;
    if (typeof read === 'string') problems.push(place + read);
    else if (lineOf.has(read.destination)) problems.push(`${place}line ${lineOf.get(read.destination)} already copies to ${read.destination}; give one of them another tag`);
    else {
      lineOf.set(read.destination, at + 1);
      pairs.push(read);
    }
  }

  if (problems.length > 0) return { problems };
  return pairs.length > 0 ? { pairs } : { problems: [`${name}: holds no copies; write lines of SOURCE DESTINATION`] };
}

/** @returns what is wrong, when it is no pair */
export function readPair([source, destination, ...more]: readonly string[]): Pair | string {
  if (source === undefined || destination === undefined || more.length > 0) return 'expected two words, SOURCE DESTINATION';

  const from = parseImageRef(source);
  if (from === undefined) return notAnImage('source', source);
  const to = parseImageRef(destination);
  if (to === undefined) return notAnImage('destination', destination);
  if (to.digest !== undefined) return `destination ${destination}: name a tag instead of a digest; the digest of the copy follows from the source`;

  const tag = to.tag ?? tagOf(from);
  if (tag === undefined) return `destination ${destination}: name a tag; source ${source} has none to take over`;
  return { source: imageName(from), destination: imageName({ ...to, tag }) };
}

function notAnImage(side: string, text: string): string {
  return `${side} ${JSON.stringify(text)} is not an image; write host/path:tag, as in registry.example.com/library/nginx:1.27`;
}

/** Undefined only where a digest stands alone. */
function tagOf({ tag, digest }: ImageRef): string | undefined {
  return tag ?? (digest === undefined ? 'latest' : undefined);
}
