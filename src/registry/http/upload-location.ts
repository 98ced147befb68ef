/** Where the bytes of an upload go, as registries and the proxies before them write it. */
import type { Digest } from '../../domain/digest.js';
import { headerOf, type Answer } from './answer.js';

/**
 * Reads a `Location`: relative or absolute, perhaps on another host, resolved against where the answer came from.
 * Two mistakes of proxies are mended, for the same host only: one that forgets `X-Forwarded-Proto` makes a registry
 * name itself over http, which is raised to https again; one that forgets the port loses an explicit `:443`. Any other
 * downgrade is refused where the location is used.
 *
 * @returns undefined when there is none, or it is no URL
 */
export function uploadLocation({ headers, url }: Pick<Answer, 'headers' | 'url'>): URL | undefined {
  const text = headerOf(headers, 'location');
  if (text === undefined || !URL.canParse(text, url.href)) return undefined;
  const location = new URL(text, url);
  if (location.hostname !== url.hostname) return location;
  if (url.protocol === 'https:' && location.protocol === 'http:') return raised(location, url);
  // of an https registry `:443` is no part of the URL and cannot get lost
  if (url.port === '443' && location.port === '') location.port = '443';
  return location;
}

function raised(location: URL, { port }: URL): URL {
  const secure = new URL(location);
  secure.protocol = 'https:';
  if (location.port === '') secure.port = port;
  return secure;
}

/** The query belongs to the registry and survives; the digest is added to its text. */
export function withDigest(location: URL, digest: Digest): URL {
  return new URL(`${location.href}${location.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`);
}

/**
 * How much of an upload a registry holds: `Range: 0-<last byte>`.
 *
 * @returns bytes; undefined when the header is absent or says something else
 * @see OCI distribution specification 1.1, "Pushing a blob in chunks"
 */
export function heldBytes(headers: Answer['headers']): number | undefined {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headerOf(headers, 'range')?.trim() ?? '')?.[1];
  return last === undefined ? undefined : Number(last) + 1;
}
