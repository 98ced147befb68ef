/**
 * What v1 kept up to date, as patterns of full names. Its filters were tried anywhere in the text of a Pod, which may
 * name the registry or leave it out; ours are tried on the whole full name.
 */
import { compilePattern } from '../../api/pattern.js';
import { canonicalText, parseImageRef } from '../../domain/image-ref.js';
import type { MigrationPlan } from '../documents/migrate.js';

type Remark = MigrationPlan['remarks'][number];

/** A `Repository`: which of its images v1 kept up to date. */
export interface V1Repository {
  readonly name: string;
  /** it has an `updateInterval`; without, nothing is updated */
  readonly isUpdated: boolean;
  /** none means all */
  readonly updateFilters: readonly string[];
}

interface Known {
  /** full name, without tag */
  readonly full: string;
  /** texts of Pods that v1 has cached */
  readonly written: readonly string[];
}

/** @param sourceImages of all `CachedImages`, as Pods wrote them */
export function updatedImages({ name, isUpdated, updateFilters }: V1Repository, sourceImages: readonly string[], remarks: Remark[]): readonly string[] {
  if (!isUpdated) return [];
  const full = repositoryOf(name) ?? name;
  const known = { full, written: sourceImages.filter((text) => repositoryOf(text) === full) };
  return updateFilters.length === 0 ? [everyTag(full)] : updateFilters.flatMap((filter) => imagesOf(filter, known, remarks));
}

function imagesOf(filter: string, known: Known, remarks: Remark[]): readonly string[] {
  const { full } = known;
  const spellings = spellingsOf(full);
  const tags = filter.includes('|') ? undefined : tagsBehind(filter, spellings);
  if (tags !== undefined) return [`${escaped(full)}:(?:${tags}).*`];
  if (!/[:/]/.test(filter)) return spellings.some((spelling) => anywhere(filter)(spelling)) ? [everyTag(full)] : [`${escaped(full)}:.*(?:${filter}).*`];

  const images = known.written.filter(anywhere(filter)).flatMap((text) => fullName(text) ?? []);
  remarks.push({ what: `Repository ${full}: the filter ${filter} was tried on what Pods say; here it became the ${images.length} images that it selects now`, next: 'write a pattern of the full name into the rule for those to come' });
  return images.map(escaped);
}

/** What a filter says of tags, when it begins with the repository. */
function tagsBehind(filter: string, spellings: readonly string[]): string | undefined {
  const text = filter.replace(/^\^/, '');
  const front = spellings.flatMap((spelling) => [`${spelling}:`, `${escaped(spelling)}:`]).find((each) => text.startsWith(each));
  return front === undefined ? undefined : text.slice(front.length);
}

/** How a Pod may write it. */
function spellingsOf(full: string): readonly string[] {
  const short = full.replace(/^docker\.io\//, '');
  return [full, short, short.replace(/^library\//, '')];
}

/** As v1 tried a pattern; one that does not compile matches nothing. */
function anywhere(pattern: string): (text: string) => boolean {
  return compilePattern(`(?s:.*)(?:${pattern})(?s:.*)`).matcher ?? (() => false);
}

function everyTag(full: string): string {
  return `${escaped(full)}(?::.+)?`;
}

function repositoryOf(text: string): string | undefined {
  const ref = parseImageRef(text);
  return ref && `${ref.host}/${ref.path}`;
}

function fullName(text: string): string | undefined {
  const ref = parseImageRef(text);
  return ref && canonicalText(ref);
}

/** Dots and pluses are all that names and tags have of what means something in a pattern. */
function escaped(text: string): string {
  return text.replace(/[.+]/g, '\\$&');
}
