/** `/status/images`: every tracked image as JSON, where the status of a rule lists the worst 500. */
import type { AvailabilityState } from '../domain/availability.js';
import type { TrackedImage } from '../domain/monitor.js';
import { compareTexts } from '../domain/rank.js';
import type { Pages } from './http.js';

/** One image of one rule. Times are RFC 3339, in UTC. */
interface Item {
  readonly cisa: string;
  readonly image: string;
  readonly registry: string;
  readonly status: AvailabilityState;
  readonly unusedSince: string | null;
  readonly lastError?: string;
  readonly lastMonitor: string | null;
}

const groupings = ['cisa', 'registry'] as const;
type Grouping = (typeof groupings)[number];

export function imagesPages(read: () => readonly TrackedImage[]): Pages {
  return {
    '/status/images': (query) => {
      const groupBy = query.get('groupBy') ?? '';
      if (groupBy !== '' && !isGrouping(groupBy)) return json(400, { error: `groupBy is ${JSON.stringify(groupBy)}; use ${groupings.join(' or ')}, or leave it out` });
      try {
        const items = itemsOf(read());
        return json(200, groupBy === '' ? { items, total: items.length } : { groupBy, groups: grouped(items, groupBy), total: items.length });
      } catch {
        return json(500, { error: 'the tracked images cannot be told, see the log of the manager' });
      }
    },
  };
}

function isGrouping(text: string): text is Grouping {
  return (groupings as readonly string[]).includes(text);
}

/** By rule, then by image. */
function itemsOf(images: readonly TrackedImage[]): readonly Item[] {
  const items = images.flatMap((image) => image.by.map((cisa) => itemOf(cisa, image)));
  return items.sort((one, other) => compareTexts(one.cisa, other.cisa) || compareTexts(one.image, other.image));
}

function itemOf(cisa: string, { image, ref, unusedSince, seen = {} }: TrackedImage): Item {
  const { state = 'Scheduled', checkedAt, checkFailure = '' } = seen;
  return {
    cisa,
    image,
    registry: ref.host,
    status: state,
    unusedSince: utc(unusedSince),
    ...(checkFailure === '' ? {} : { lastError: checkFailure }),
    lastMonitor: utc(checkedAt),
  };
}

/** The field that names the group is left out in its items. */
function grouped(items: readonly Item[], by: Grouping): Readonly<Record<string, readonly object[]>> {
  const groups = new Map<string, object[]>();
  for (const item of items) {
    const { [by]: key, ...rest } = item;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [rest]);
    else group.push(rest);
  }
  return Object.fromEntries(groups);
}

function utc(time: string | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

function json(status: number, body: object): { readonly status: number; readonly type: string; readonly body: string } {
  return { status, type: 'application/json', body: JSON.stringify(body) };
}
