/** What applying rules would change: two pictures, decided by the same functions, and their difference. */
import type { ImageName } from '../../domain/image-ref.js';
import type { WantedCopy } from '../../domain/mirror.js';
import { ruleText, type Rule } from '../../domain/rule.js';
import type { Picture } from '../../watchers/reconcile.js';
import type { CopyFate } from './fates.js';

export interface Change {
  /** `copy`: made; `release`: kept where it is, nothing wants it any more; `delete`: goes at a time that was not announced before */
  readonly action: 'copy' | 'release' | 'delete';
  readonly image: ImageName;
  readonly place: ImageName;
  readonly rule?: string;
  /** RFC 3339: when a copy goes, at the earliest */
  readonly at?: string;
}

export interface Side {
  readonly picture: Picture;
  readonly fates: readonly CopyFate[];
}

/** In the order copy, release, delete; each by place. */
export function changesOf(before: Side, after: Side): readonly Change[] {
  const held = new Set(before.fates.map(({ place }) => place as string));
  const copied = [...after.picture.plan.wanted.values()].filter(({ destination, rests }) => rests !== true && !before.picture.plan.wanted.has(destination) && !held.has(destination));
  const fatesBefore = new Map(before.fates.map((each) => [each.place, each.fate]));
  const lost = after.fates.filter(({ place, fate }) => isWorse(fatesBefore.get(place), fate));
  return [
    ...sorted(copied.map(copyOf)),
    ...sorted(lost.filter(({ fate }) => fate.fate === 'stays').map((each) => changeOf('release', each))),
    ...sorted(lost.filter(({ fate }) => fate.fate === 'goes').map((each) => changeOf('delete', each))),
  ];
}

/** A copy that goes, or goes at another time, or is not wanted any more where it was. */
function isWorse(before: CopyFate['fate'] | undefined, after: CopyFate['fate']): boolean {
  if (after.fate === 'goes') return before?.fate !== 'goes' || before.at !== after.at;
  return after.by === 'no-cleanup' && before?.fate === 'stays' && before.by === 'claimed';
}

function copyOf({ image, destination, rule }: WantedCopy): Change {
  return { action: 'copy', image, place: destination as string as ImageName, ...(rule === undefined ? {} : { rule }) };
}

function changeOf(action: 'release' | 'delete', { image, place, rule, fate }: CopyFate): Change {
  return { action, image, place, ...(rule === undefined ? {} : { rule }), ...(fate.fate === 'goes' ? { at: new Date(fate.at).toISOString() } : {}) };
}

function sorted(changes: readonly Change[]): readonly Change[] {
  return [...changes].sort((one, other) => (one.place < other.place ? -1 : 1));
}

/** What is bad about the applied rules: each names object, field and what is wrong. */
export function problemsOf(applied: readonly Rule[], before: Picture, after: Picture): readonly string[] {
  const known = new Set(before.plan.collisions.map(({ destination, image }) => `${destination} ${image}`));
  const collisions = after.plan.collisions.filter(({ destination, image }) => !known.has(`${destination} ${image}`));
  return [
    ...applied.flatMap((rule) => rule.problems.map(({ message }) => `${ruleText(rule.id)}: ${message}`)),
    ...collisions.map(({ destination, holder, image }) => `${destination}: ${holder} and ${image} both want it, and ${image} is refused; layout: host keeps them apart`),
  ];
}
