/**
 * Reduces an index to some of its children. The same input gives the same bytes on every cluster: elements are
 * dropped, white space goes, and nothing is added, no time and no name of ours.
 */
import type { Digest } from '../domain/digest.js';
import { digestBytes } from './hash.js';
import type { Manifest } from './registry.js';

/**
 * @param kept positions of the children that stay
 * @returns undefined for a document that would not survive being parsed: integers beyond 2^53, repeated keys
 */
export function rewriteIndex(index: Pick<Manifest, 'bytes' | 'mediaType'>, kept: readonly number[]): Pick<Manifest, 'bytes' | 'mediaType' | 'digest'> | undefined {
  const text = Buffer.from(index.bytes).toString('utf8');
  if (!survives(text)) return undefined;

  const document = JSON.parse(text) as { manifests: unknown[] };
  document.manifests = document.manifests.filter((_, position) => kept.includes(position));
  const bytes = Buffer.from(JSON.stringify(document));
  const digest: Digest = digestBytes(bytes);
  return { bytes, mediaType: index.mediaType, digest };
}

type Reviver = (this: unknown, key: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** Whether a value read and written again would still say the same. */
function survives(text: string): boolean {
  let members = -1; // the document itself is handed over as a member too
  let numbersSurvive = true;
  const look: Reviver = function (_key, value, context) {
    if (!Array.isArray(this)) members++;
    if (typeof value === 'number' && context?.source !== undefined && String(value) !== context.source) numbersSurvive = false;
    return value;
  };
  JSON.parse(text, look as Parameters<typeof JSON.parse>[1]);
  return numbersSurvive && members === countMembers(text);
}

/** Members written in a text, repeated ones included: a colon outside a string stands in each. */
function countMembers(text: string): number {
  const withoutStrings = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  return withoutStrings.split(':').length - 1;
}
