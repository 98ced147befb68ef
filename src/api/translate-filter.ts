import type { ImageFilter, Matcher, PodFilter } from '../domain/rule.js';
import { readSelector, type Selector } from '../domain/selector.js';
import type { Blame, Field } from './field.js';
import { compilePattern } from './pattern.js';

/** What an item of a filter may look at; namespaced kinds know no `namespace`, replica kinds no `image`. */
export type ItemKey = 'image' | 'label' | 'annotation' | 'namespace';

/** The items of one side of a filter, by what they look at. */
interface Items {
  readonly count: number;
  readonly images: readonly Matcher[];
  readonly labels: readonly Selector[];
  readonly annotations: readonly Selector[];
  readonly namespaces: readonly Matcher[];
}

/** A list of plain patterns on images. */
interface Patterns {
  readonly include: readonly Matcher[];
  readonly exclude: readonly Matcher[];
}

const invalidFilter: Blame = { reason: 'InvalidFilter', disables: 'rule' };

/**
 * Reads `filter` and the deprecated `imageFilter` of a spec. Without any item no image is selected; with items of
 * which none includes images, all are.
 *
 * @param keys what an item may look at in this kind
 */
export function translateFilters(spec: Field, keys: readonly ItemKey[]): { readonly pods: PodFilter; readonly images: ImageFilter } {
  const include = readItems(spec.get('filter').get('include'), keys);
  const exclude = readItems(spec.get('filter').get('exclude'), keys);
  const patterns = readPatterns(spec.get('imageFilter'), invalidFilter);
  const hasItems = include.count + exclude.count > 0;
  const hasPatterns = patterns.include.length + patterns.exclude.length > 0;
  if (hasItems && hasPatterns) spec.get('imageFilter').note('cannot be used beside filter; move its patterns to image items of filter');

  return {
    pods: { include: podConditions(include), exclude: podConditions(exclude) },
    images: hasItems ? { selectsNone: false, include: include.images, exclude: exclude.images } : imageFilter(patterns),
  };
}

/** Reads the `imageFilter` of one upstream; its patterns are of the upstream alone. */
export function translateImageFilter(field: Field): ImageFilter {
  return imageFilter(readPatterns(field, {}));
}

function imageFilter(patterns: Patterns): ImageFilter {
  return { selectsNone: patterns.include.length + patterns.exclude.length === 0, ...patterns };
}

function podConditions({ labels, annotations, namespaces }: Items): PodFilter['include'] {
  return { labels, annotations, namespaces };
}

function readPatterns(field: Field, blame: Partial<Blame>): Patterns {
  const read = (list: Field): Matcher[] => list.items().flatMap((item) => present(readPattern(item, blame)));
  return { include: read(field.get('include')), exclude: read(field.get('exclude')) };
}

function readItems(list: Field, keys: readonly ItemKey[]): Items {
  const items = list.items();
  const of = <T>(key: ItemKey, read: (field: Field) => T | undefined): T[] => items.flatMap((item) => present(readText(item.get(key), read)));
  for (const item of items) checkKeys(item, keys);
  return {
    count: items.length,
    images: of('image', (field) => readPattern(field, invalidFilter)),
    labels: of('label', readLabels),
    annotations: of('annotation', readLabels),
    namespaces: of('namespace', (field) => readPattern(field, invalidFilter)),
  };
}

/** Presence counts, even of an empty text, as in the CRD's rule. */
function checkKeys(item: Field, keys: readonly ItemKey[]): void {
  const used = (['image', 'label', 'annotation', 'namespace'] as const).filter((key) => item.get(key).isPresent());
  const only = used[0];
  if (used.length === 1 && only !== undefined && keys.includes(only)) return;
  item.note(`has ${used.length === 0 ? 'no key' : used.join(' and ')}; write exactly one of ${keys.join(', ')}`);
}

/** An empty text constrains nothing. */
function readText<T>(field: Field, read: (field: Field) => T | undefined): T | undefined {
  return field.value === '' ? undefined : read(field);
}

function readPattern(field: Field, blame: Partial<Blame>): Matcher | undefined {
  const text = field.text();
  if (text === undefined) return undefined;
  const { matcher, error } = compilePattern(text);
  if (matcher === undefined) field.note(`does not compile: ${error}; write an RE2 pattern for the whole text, such as docker\\.io/library/.+`, blame);
  return matcher;
}

function readLabels(field: Field): Selector | undefined {
  const text = field.text();
  if (text === undefined) return undefined;
  const read = readSelector(text);
  if ('selector' in read) return read.selector;
  field.note(`is no selector: ${read.problem}; write one such as app=web,tier!=cache`, invalidFilter);
  return undefined;
}

function present<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
