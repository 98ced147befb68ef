import { troubleOf } from '../../domain/image-standing.js';
import type { ImageRecord, PlaceRecord } from '../../domain/record.js';
import { cliVersion } from '../command-line.js';
import type { ImageItem, ImageList, ImagePlace } from '../documents/images.js';
import { recordText } from '../find-images.js';
import type { ListedImage } from './choose.js';

const headings = ['IMAGE', 'AVAILABLE', 'COPIES', 'PODS', 'USED BY', 'NOTE'];
const wideHeadings = [...headings, 'EXPIRES', 'DIGEST', 'PLACES'];

export function headingsOf(form: 'table' | 'wide'): readonly string[] {
  return form === 'wide' ? wideHeadings : headings;
}

export function rowOf(listed: ListedImage, form: 'table' | 'wide'): readonly string[] {
  const { record, standing: { origin, copies } } = listed;
  if (listed.isHidden === true) return [record.image, 'hidden', 'hidden', String(record.pods), usersText(listed), ...(form === 'table' ? [''] : ['', '', '', ''])];
  const row = [record.image, origin === 'unknown' ? 'unknown' : origin === 'available' ? 'yes' : 'no', `${copies.there}/${copies.wanted}`, String(record.pods), usersText(listed), noteOf(record)];
  if (form === 'table') return row;
  return [...row, record.expiresAt ?? '', shortDigest(originPlace(record)?.digest), record.places.map(placeText).join(', ')];
}

export function namesOf(listed: readonly ListedImage[]): string {
  return listed.map(({ record }) => `${recordText(record)}\n`).join('');
}

export function imageList(listed: readonly ListedImage[]): ImageList {
  return { apiVersion: cliVersion, kind: 'ImageList', items: listed.map(imageItem) };
}

export function imageItem({ record, standing, users, isHidden }: ListedImage): ImageItem {
  const { image, name, pods, unusedSince, expiresAt, places } = record;
  const trouble = isHidden === true ? undefined : troubleOf(record);
  return {
    image,
    record: name,
    origin: standing.origin,
    pullable: standing.pullable,
    copies: standing.copies,
    unmirrored: standing.isUnmirrored,
    drifted: standing.isDrifted,
    pods,
    ...(users === undefined ? {} : { users: users.map(({ key }) => key) }),
    ...(unusedSince === undefined ? {} : { unusedSince }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(isHidden === true ? { hidden: true } : {}),
    ...(trouble === undefined ? {} : { trouble }),
    places: places.map(placeItem),
  };
}

export function placeItem({ reference, role, rule, state, digest, checkedAt, mirroredAt, failure }: PlaceRecord): ImagePlace {
  return {
    reference,
    ...(role === undefined ? {} : { role }),
    ...(rule === undefined ? {} : { rule }),
    ...(state === undefined ? {} : { state }),
    ...(digest === undefined ? {} : { digest }),
    ...(checkedAt === undefined ? {} : { checkedAt }),
    ...(mirroredAt === undefined ? {} : { mirroredAt }),
    ...(failure === undefined ? {} : { failure: { code: failure.code, message: failure.message } }),
  };
}

const mostUsers = 2;

/** Pods of one workload look alike: two of them, and how many more there are. */
function usersText({ users = [] }: ListedImage): string {
  const named = users.slice(0, mostUsers).map(({ key }) => key);
  const more = users.length - named.length;
  return `${named.join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}

function noteOf(record: ImageRecord): string {
  const trouble = troubleOf(record);
  if (trouble !== undefined || record.pods > 0) return trouble ?? '';
  return record.expiresAt === undefined ? 'unused' : `unused, goes at ${record.expiresAt}`;
}

function originPlace({ places }: ImageRecord): PlaceRecord | undefined {
  return places.find(({ role }) => role === 'origin');
}

function placeText({ reference, role = 'mirror', state, mirroredAt, failure }: PlaceRecord): string {
  const how = failure?.code ?? (role === 'mirror' ? (mirroredAt === undefined ? 'waiting' : 'copied') : (state ?? 'Scheduled'));
  return `${reference} (${role}, ${how})`;
}

/** As far as people compare them. */
export function shortDigest(digest: string | undefined): string {
  return digest?.slice(0, 'sha256:'.length + 12) ?? '';
}
