/**
 * Where the copies and replicas of an image live: registry and path of a rule, joined with the image's own.
 * Parts are cleaned like a file path; what does not parse afterwards is no place. Names are never cut.
 */
import { canonicalText, dockerHub, parseImageRef, withHubName, type ImageRef } from './image-ref.js';
import type { Mirror, Upstream } from './rule.js';

/** Registry and path as a rule writes them, both perhaps empty. */
export type Location = Pick<Upstream, 'registry' | 'path'>;

/** A place, or why there is none: one sentence for a condition. */
export type Join = { readonly ref: ImageRef } | { readonly problem: string };

/** Where a mirror keeps its copy of an image. May be the image itself: the caller compares place identities. */
export function mirrorPlace(mirror: Location & Pick<Mirror, 'layout'>, image: ImageRef): ImageRef | undefined {
  return refOf(joinMirror(mirror, image));
}

/** Where another upstream keeps what the matching one calls `image`. */
export function replicaPlace(match: Location, other: Location, image: ImageRef): ImageRef | undefined {
  return refOf(joinReplica(match, other, image));
}

/** As `mirrorPlace`, but says why an image is left out. */
export function joinMirror(mirror: Location & Pick<Mirror, 'layout'>, image: ImageRef): Join {
  const front = joinedText(mirror);
  if (front === undefined) return upwards(mirror);

  const host = mirror.layout === 'host' ? encodedHost(image.host) : '';
  if (host === undefined) return { problem: `the host ${image.host} of the image cannot be written as a path` };
  return parsed(cleaned(`${front}/${host}/${canonicalText({ ...image, host: '' })}`));
}

/** As `replicaPlace`, but says why an image is left out. */
export function joinReplica(match: Location, other: Location, image: ImageRef): Join {
  const prefix = joinedText(match);
  const front = joinedText(other);
  if (prefix === undefined) return upwards(match);
  if (front === undefined) return upwards(other);

  const text = canonicalText(image);
  const known = withHubName(prefix);
  if (!text.startsWith(known)) return { problem: `${text} does not start with registry and path of its upstream, ${known}` };
  // as text, not by segments: that is how v2 offers `thanos:v1` of one upstream as `receive/thanos:v1` of another
  return parsed(cleaned(front + text.slice(known.length)));
}

/**
 * Why registry and path can never be joined to a reference, whatever the image.
 *
 * @returns undefined when an image with a short path fits
 */
export function locationProblem(location: Location): string | undefined {
  const join = joinMirror({ ...location, layout: 'path' }, { host: dockerHub, path: 'a/a' });
  return 'problem' in join ? join.problem : undefined;
}

/**
 * Registry and path as one text: duplicate, leading and trailing slashes and `.` segments vanish.
 *
 * @returns undefined when a `..` segment points upwards
 */
export function joinedText({ registry, path }: Location): string | undefined {
  const text = cleaned(`${registry}/${path}`);
  return text.split('/').includes('..') ? undefined : text;
}

/** The shared joint of every part of a path. */
function cleaned(text: string): string {
  return text
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
}

function parsed(text: string): Join {
  const ref = parseImageRef(text);
  return ref === undefined ? { problem: `registry and path join to ${text}, which is not an image reference` } : { ref };
}

function upwards({ registry, path }: Location): Join {
  return { problem: `registry "${registry}" and path "${path}" contain a ".." segment` };
}

function refOf(join: Join): ImageRef | undefined {
  return 'ref' in join ? join.ref : undefined;
}

/**
 * A host as one legal path segment: lower case, `_` before the port, an IPv6 literal as eight groups of four digits.
 *
 * @returns `quay.io_8443`, `2001-0db8-0000-0000-0000-0000-0000-0001_5000`; undefined for an impossible IPv6 literal
 */
export function encodedHost(host: string): string | undefined {
  const lower = host.toLowerCase();
  if (!lower.startsWith('[')) return lower.replace(':', '_');

  const end = lower.indexOf(']');
  const groups = ipv6Groups(lower.slice(1, end));
  return groups && groups.join('-') + lower.slice(end + 1).replace(':', '_');
}

/** @see RFC 4291, section 2.2: one `::` stands for the groups of zeros that are missing */
function ipv6Groups(literal: string): string[] | undefined {
  const [front = [], back, ...more] = literal.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - front.length - (back?.length ?? 0);
  const isPossible = more.length === 0 && (back === undefined ? missing === 0 : missing > 0);
  if (!isPossible) return undefined;

  const groups = [...front, ...Array<string>(missing).fill('0'), ...(back ?? [])];
  return groups.every((group) => /^[0-9a-f]{1,4}$/.test(group)) ? groups.map((group) => group.padStart(4, '0')) : undefined;
}
