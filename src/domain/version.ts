/**
 * Compares versions of kuik by precedence; build metadata does not count.
 *
 * @returns below 0 when `a` comes before `b`; undefined when one of them is no version
 * @see https://semver.org/#spec-item-11
 */
export function compareVersions(a: string, b: string): number | undefined {
  const [one, other] = [parse(a), parse(b)];
  if (one === undefined || other === undefined) return undefined;
  return firstDifference(one.release, other.release, (x, y) => x - y) || comparePreReleases(one.pre, other.pre);
}

interface Version {
  readonly release: readonly number[];
  readonly pre: readonly string[];
}

function parse(text: string): Version | undefined {
  const [, release, pre] = /^v?(\d+\.\d+\.\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(text) ?? [];
  return release === undefined ? undefined : { release: release.split('.').map(Number), pre: pre?.split('.') ?? [] };
}

/** A release comes after its previews. */
function comparePreReleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  return firstDifference(a, b, comparePart) || a.length - b.length;
}

/** Numbers by value and before words; words by code unit. */
function comparePart(a: string, b: string): number {
  const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber && isOtherNumber) return Number(a) - Number(b);
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function firstDifference<T>(a: readonly T[], b: readonly T[], compare: (x: T, y: T) => number): number {
  for (const [index, x] of a.entries()) {
    const y = b[index];
    const found = y === undefined ? 0 : compare(x, y);
    if (found !== 0) return found;
  }
  return 0;
}
