import { failures } from '../../domain/failure.js';
import { imageName, parseImageRef, placeIdentity } from '../../domain/image-ref.js';
import { mirrorsOf } from '../../domain/image-standing.js';
import { annotations } from '../../domain/names.js';
import { originalsOf, readOriginals } from '../../domain/original.js';
import type { PlaceRecord } from '../../domain/record.js';
import type { Pod } from '../../domain/usage.js';
import { columns } from '../columns.js';
import { agoText } from '../cluster/known.js';
import type { ImageDescriptionList } from '../documents/describe.js';
import type { TellingEvent } from '../events.js';
import type { ClaimsOf } from './claims.js';
import { recordText } from '../find-images.js';
import type { ListedImage } from '../images/choose.js';
import { imageItem, shortDigest } from '../images/report.js';

type Description = ImageDescriptionList['items'][number];

/** What is known of one image beside its record. */
export interface Surroundings {
  readonly nextCheck?: Description['nextCheck'];
  readonly events: readonly TellingEvent[];
  /** as keepers know them, where they were asked */
  readonly claims?: ClaimsOf;
}

export function descriptionOf(listed: ListedImage, { nextCheck, events, claims }: Surroundings): Description {
  const { record, users } = listed;
  return {
    ...imageItem(listed),
    ...(users === undefined ? {} : { usages: users.flatMap((pod) => usagesIn(pod, listed)) }),
    copiesInDetail: mirrorsOf(record).map((place) => ({ ...copyDetail(place), ...claimsAt(place, claims) })),
    ...(nextCheck === undefined ? {} : { nextCheck }),
    ...(record.keepUntil === undefined ? {} : { keepUntil: record.keepUntil }),
    events: events.map((event) => ({ ...event })),
  };
}

/** Of the containers of a Pod those that use this image: by the name they were written with, or by one of its places. */
function usagesIn(pod: Pod, { record }: ListedImage): NonNullable<Description['usages']> {
  const originals = originalsOf(pod);
  const reasons = readOriginals(pod.annotations[annotations.reason] ?? '{}') ?? new Map<string, string>();
  const names = new Set<string>([record.image, ...record.places.map(({ reference }) => reference)]);
  return pod.usages.flatMap(({ key, written }) => {
    const original = originals.get(key) ?? written;
    if (![original, written].some((text) => spellings(text).some((name) => names.has(name)))) return [];
    const reason = reasons.get(key);
    return [{ pod: pod.key, container: key, written: original, pulls: written, ...(reason === undefined ? {} : { reason }) }];
  });
}

/** A place is named by its identity, an image by its name. */
function spellings(text: string): readonly string[] {
  const ref = parseImageRef(text);
  return ref === undefined ? [] : [imageName(ref), placeIdentity(ref)];
}

function copyDetail({ reference, rule, digest, strategy, bytes, platforms, missingPlatforms, mirroredAt, triedAt, failure, blocked, retention, retiringSince, workflowId }: PlaceRecord): Description['copiesInDetail'][number] {
  const known = { rule, digest, strategy, bytes, mirroredAt, triedAt, retention, retiringSince, workflowId };
  return {
    destination: reference,
    ...(Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) as Partial<typeof known>),
    ...(platforms === undefined ? {} : { platforms: [...platforms] }),
    ...(missingPlatforms === undefined ? {} : { missingPlatforms: [...missingPlatforms] }),
    ...(failure === undefined ? {} : { failure: { code: failure.code, message: failure.message, since: failure.since, attempts: failure.attempts, next: failures[failure.code].help } }),
    ...(blocked === undefined ? {} : { blocked: { reason: blocked.reason, message: blocked.message, since: blocked.since } }),
  };
}

/** How a page is printed. */
interface Page {
  readonly claimants: ImageDescriptionList['claimants'];
  /** ID of this cluster, where it is known */
  readonly self?: string;
  /** milliseconds since the epoch */
  readonly now: number;
  readonly form?: 'table' | 'wide';
}

/** Those that were given up are history. */
function claimsAt({ reference }: PlaceRecord, claims: ClaimsOf | undefined): Pick<Description['copiesInDetail'][number], 'claims'> {
  const known = claims?.(reference);
  if (known === undefined) return {};
  return {
    claims: known.flatMap(({ cluster, state, rules, heardAt, expiresAt }) => (state === 'live' || state === 'expired' ? [{ cluster, state, rules: [...rules], ...(heardAt === undefined ? {} : { heardAt }), expiresAt }] : [])),
  };
}

/** The page of one image. */
export function descriptionText(description: Description, { claimants, self, now, form = 'table' }: Page): string {
  return [
    headText(description, now),
    usagesText(description, form),
    placesText(description, now, form),
    ...description.copiesInDetail.map((copy) => copyText(copy, now)),
    claimsText(description, { claimants, self, now }),
    eventsText(description, now),
    `More: kuik logs ${description.image}, kuik ui ${description.image}\n`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function headText({ image, record, trouble, pods, unusedSince, expiresAt, keepUntil, nextCheck, copies }: Description, now: number): string {
  const rows: [string, string | undefined][] = [
    ['Record', recordText({ name: record })],
    ['Trouble', trouble],
    ['Used by', pods > 0 ? `${pods} ${pods === 1 ? 'Pod' : 'Pods'}` : unusedSince === undefined ? 'nobody' : `nobody since ${unusedSince} (${agoText(unusedSince, now)})`],
    ['Copies', `${copies.there} of ${copies.wanted}`],
    ['Next check', nextCheck && `not before ${nextCheck.at}, now number ${nextCheck.place} of ${nextCheck.of} at its registry`],
    ['Goes', expiresAt],
    ['Pinned', keepUntil && (keepUntil === 'forever' ? 'for ever' : `until ${keepUntil}`)],
  ];
  const told = rows.filter((row): row is [string, string] => row[1] !== undefined);
  return `${image}\n${told.map(([name, text]) => `  ${`${name}:`.padEnd(12)}${text}\n`).join('')}`;
}

const mostUsages = 20;

function usagesText({ usages }: Description, form: 'table' | 'wide'): string {
  if (usages === undefined || usages.length === 0) return '';
  const shown = form === 'wide' ? usages : usages.slice(0, mostUsages);
  const hidden = usages.length - shown.length;
  const rows = shown.map(({ pod, container, written, pulls, reason = '' }) => [pod, container, pulls === written ? '(as written)' : pulls, reason]);
  return `${columns([['POD', 'CONTAINER', 'PULLS', 'REASON'], ...rows])}${hidden > 0 ? `... and ${hidden} more, with -o wide\n` : ''}`;
}

function placesText({ places }: Description, now: number, form: 'table' | 'wide'): string {
  const rows = places.map(({ reference, role = '', rule = '', state = '', checkedAt, digest }) => [reference, role, rule, state, checkedAt === undefined ? '' : `${agoText(checkedAt, now)} ago`, form === 'wide' ? (digest ?? '') : shortDigest(digest)]);
  return columns([['PLACE', 'ROLE', 'RULE', 'STATE', 'CHECKED', 'DIGEST'], ...rows]);
}

function copyText({ destination, strategy, bytes, platforms, missingPlatforms, mirroredAt, triedAt, failure, blocked, retention, retiringSince, workflowId }: Description['copiesInDetail'][number], now: number): string {
  const rows: [string, string | undefined][] = [
    ['Copied', mirroredAt === undefined ? 'not yet' : `${mirroredAt} (${agoText(mirroredAt, now)} ago)${strategy === undefined ? '' : `, ${strategy}`}${bytes === undefined || bytes === 0 ? '' : `, ${(bytes / 1e6).toFixed(1)} MB`}`],
    ['Platforms', platforms && (platforms.join(', ') || 'single platform')],
    ['Missing', missingPlatforms && missingPlatforms.length > 0 ? missingPlatforms.join(', ') : undefined],
    ['Last try', triedAt],
    ['Failed', failure && `${failure.code}: ${failure.message} (${failure.attempts} times since ${failure.since})`],
    ['Next step', failure && `${failure.next} It is tried again by itself within six hours, or now with kuik retry.`],
    ['Kept', retention === undefined ? 'for ever: no rule cleans it up' : `${retention} after its last use`],
    ['Retiring', retiringSince && `since ${retiringSince}: no Pod is sent there any more`],
    ['Not deleted', blocked && `${blocked.reason}: ${blocked.message} (since ${blocked.since})`],
    ['Workflow', workflowId],
  ];
  const told = rows.filter((row): row is [string, string] => row[1] !== undefined);
  return `Copy at ${destination}\n${told.map(([name, text]) => `  ${`${name}:`.padEnd(13)}${text}\n`).join('')}`;
}

/** Copy by copy where its keeper was asked; elsewhere our own claims, and of the others that there are some. */
function claimsText({ copiesInDetail }: Description, { claimants, self, now }: Page): string {
  if (copiesInDetail.length === 0) return '';
  const rows = copiesInDetail.flatMap((copy) => copy.claims?.map((claim) => claimRow(copy.destination, claim, { self, now })) ?? [['this cluster', copy.destination, copy.rule ?? 'no rule any more', '']]);
  const isAsked = copiesInDetail.every(({ claims }) => claims !== undefined);
  const others = isAsked ? [] : claimants.map(({ cluster, heardAt }) => [cluster, 'destinations shared with this cluster', '', `${agoText(heardAt, now)} ago`]);
  return columns([['CLAIMED BY', 'WHAT', 'FOR', 'HEARD'], ...rows, ...others]);
}

function claimRow(destination: string, { cluster, state, rules, heardAt }: NonNullable<Description['copiesInDetail'][number]['claims']>[number], { self, now }: Pick<Page, 'self' | 'now'>): string[] {
  const heard = heardAt === undefined ? '' : `${agoText(heardAt, now)} ago`;
  return [cluster === self ? `${cluster} (this cluster)` : cluster, destination, rules.join(', '), state === 'expired' ? `${heard}, expired` : heard];
}

function eventsText({ events }: Description, now: number): string {
  if (events.length === 0) return '';
  return columns([['EVENT', 'TYPE', 'REASON', 'NOTE'], ...events.map(({ at, type, reason, note }) => [`${agoText(at, now)} ago`, type, reason, note])]);
}
