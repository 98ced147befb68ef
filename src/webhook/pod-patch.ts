import { annotations } from '../domain/names.js';
import type { UsageField } from '../domain/usage.js';
import { field, type Operation } from './review.js';

/** What becomes of a Pod. */
export interface PodChanges {
  readonly images: readonly { readonly field: UsageField; readonly index: number; readonly image: string }[];
  /** names the Pod should have; those it has are not added again */
  readonly pullSecrets: readonly string[];
  /** whole new values, by usage key; absent ones stay as they are */
  readonly originals?: ReadonlyMap<string, string>;
  readonly rewrittenBy?: ReadonlyMap<string, string>;
  readonly reasons?: ReadonlyMap<string, string>;
}

/** A Pod with more bytes of annotations, keys included, is refused. @see ValidateAnnotationsSize in k8s.io/apimachinery */
export const mostAnnotationBytes = 262_144;

/**
 * Writes the patch by hand: the operations are known, so no difference has to be computed. Only `add` and
 * `replace` on paths whose parents are in this very object, so it cannot fail, whoever patched before us.
 *
 * @param pod the object under review
 * @returns `too-large` when the record of the originals does not fit into the Pod: then nothing may be rewritten,
 *   because the next invocation would take our image for the user's
 */
export function podPatch(pod: unknown, changes: PodChanges): readonly Operation[] | 'too-large' {
  const notes = annotationOperations(field(pod, 'metadata'), changes);
  if (notes === 'too-large') return notes;
  return [...imageOperations(changes), ...pullSecretOperations(field(pod, 'spec'), changes.pullSecrets), ...notes];
}

/** Compact, with sorted keys, and safe for every key: objects would reorder `1` and lose `__proto__`. */
export function compactJson(map: ReadonlyMap<string, string>): string {
  const members = [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{${members.join(',')}}`;
}

function imageOperations({ images }: PodChanges): Operation[] {
  return images.map(({ field: list, index, image }) => ({
    op: 'replace',
    path: list === 'volumes' ? `/spec/volumes/${index}/image/reference` : `/spec/${list}/${index}/image`,
    value: image,
  }));
}

function pullSecretOperations(spec: unknown, wanted: readonly string[]): Operation[] {
  const present = field(spec, 'imagePullSecrets');
  const names = new Set(Array.isArray(present) ? present.map((item) => field(item, 'name')) : []);
  const added = [...new Set(wanted)].filter((name) => !names.has(name)).map((name) => ({ name }));
  if (added.length === 0) return [];
  if (!Array.isArray(present)) return [{ op: 'add', path: '/spec/imagePullSecrets', value: added }];
  return added.map((value) => ({ op: 'add', path: '/spec/imagePullSecrets/-', value }));
}

function annotationOperations(metadata: unknown, changes: PodChanges): Operation[] | 'too-large' {
  const wanted = ([
    [annotations.originalImages, changes.originals],
    [annotations.rewrittenBy, changes.rewrittenBy],
    [annotations.reason, changes.reasons],
  ] as const).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value: compactJson(value) }]));

  const present = field(metadata, 'annotations');
  const fitting = thoseThatFit(present, wanted);
  if (wanted.some(({ name }) => name === annotations.originalImages) && fitting[0]?.name !== annotations.originalImages) return 'too-large';
  return writeAnnotations(metadata, present, fitting);
}

interface Note {
  readonly name: string;
  readonly value: string;
}

/** In order of importance: explanations go first when there is no room. */
function thoseThatFit(present: unknown, wanted: readonly Note[]): Note[] {
  const replaced = new Set(wanted.map(({ name }) => name));
  const others = isObject(present) ? Object.entries(present).filter(([name]) => !replaced.has(name)) : [];
  let bytes = others.reduce((sum, [name, value]) => sum + sizeOf(name, String(value)), 0);
  // what we cannot replace stays, with its bytes
  return wanted.filter(({ name, value }) => {
    const fits = bytes + sizeOf(name, value) <= mostAnnotationBytes;
    const kept = field(present, name);
    bytes += fits ? sizeOf(name, value) : typeof kept === 'string' ? sizeOf(name, kept) : 0;
    return fits;
  });
}

function writeAnnotations(metadata: unknown, present: unknown, notes: readonly Note[]): Operation[] {
  if (notes.length === 0) return [];
  if (isObject(present)) return notes.map(({ name, value }) => ({ op: 'add', path: `/metadata/annotations/${escape(name)}`, value }));
  const all = Object.fromEntries(notes.map(({ name, value }) => [name, value]));
  if (isObject(metadata)) return [{ op: 'add', path: '/metadata/annotations', value: all }];
  return [{ op: 'add', path: '/metadata', value: { annotations: all } }];
}

/** @see RFC 6901, section 3 */
function escape(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}

function sizeOf(name: string, value: string): number {
  return Buffer.byteLength(name) + Buffer.byteLength(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
