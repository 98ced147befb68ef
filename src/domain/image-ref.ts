/**
 * Image references as the kubelet reads them, in three forms:
 *
 * - *canonical text*: host and repository written out, no tag added: what filters and joins see;
 * - *image name*: canonical text with `:latest` when it has neither tag nor digest: what people read;
 * - *place identity*: image name, but without the tag when there is a digest: what locks and caches use.
 *
 * @see https://github.com/distribution/reference for the grammar
 */
import { parseDigest, type Digest } from './digest.js';

/** An image reference taken apart: `host/path[:tag][@digest]`, host and repository written out. */
export interface ImageRef {
  readonly host: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** `host/path[:tag][@digest]`, never empty of both: the key of records, and what people read. */
export type ImageName = string & { readonly __kind: 'ImageName' };

/** `host/path:tag` or `host/path@digest`: two spellings of one place are equal here. */
export type PlaceId = string & { readonly __kind: 'PlaceId' };

/** Where manifests and blobs live: `host/path`. */
export type Repository = Pick<ImageRef, 'host' | 'path'>;

export const dockerHub = 'docker.io';

const hostLabel = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const segment = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const hostForm = new RegExp(`^(?:(?:${hostLabel}(?:\\.${hostLabel})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?|${segment})$`);
const pathForm = new RegExp(`^${segment}(?:/${segment})*$`);
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const imageIdForm = /^[0-9a-f]{64}$/;
const longestPath = 255;

/**
 * Reads a reference as it is written in a Pod.
 *
 * @param text `[host/]path[:tag][@digest]`; nothing is trimmed
 * @returns undefined when the kubelet would refuse it too, and for a bare image ID
 */
export function parseImageRef(text: string): ImageRef | undefined {
  if (imageIdForm.test(text)) return undefined;

  const { name, tag, digest } = takeApart(text);
  if (digest !== undefined && parseDigest(digest) === undefined) return undefined;
  if (tag !== undefined && !tagForm.test(tag)) return undefined;

  const { host, path } = splitHost(name);
  if (!hostForm.test(host) || !pathForm.test(path)) return undefined;

  const ref = imageRef(host, path, tag, parseDigest(digest));
  return ref.path.length > longestPath ? undefined : ref; // `library/` counts
}

/** `host/path[:tag][@digest]`, no tag added. */
export function canonicalText(ref: ImageRef): string {
  return repositoryText(ref) + (ref.tag === undefined ? '' : `:${ref.tag}`) + (ref.digest === undefined ? '' : `@${ref.digest}`);
}

/** Canonical text plus `:latest` when it has neither tag nor digest. */
export function imageName(ref: ImageRef): ImageName {
  const tag = ref.tag === undefined && ref.digest === undefined ? ':latest' : '';
  return (canonicalText(ref) + tag) as ImageName;
}

/** Image name, with the tag dropped when there is a digest. */
export function placeIdentity(ref: ImageRef): PlaceId {
  const suffix = ref.digest === undefined ? `:${ref.tag ?? 'latest'}` : `@${ref.digest}`;
  return (repositoryText(ref) + suffix) as PlaceId;
}

/** `host/path` */
export function repositoryText(repository: Repository): string {
  return `${repository.host}/${repository.path}`;
}

/** Docker Hub has two names in references; canonical texts use the shorter. For texts that start with a host. */
export function withHubName(text: string): string {
  return text.replace(/^index\.docker\.io(?=\/|$)/, dockerHub);
}

/** Reads a text we made ourselves, from a record or a workflow; throws when it is not a reference. */
export function knownImageRef(text: string): ImageRef {
  const ref = parseImageRef(text);
  if (ref === undefined) throw new TypeError(`not an image reference: ${JSON.stringify(text)}`);
  return ref;
}

function takeApart(text: string): { name: string; tag?: string; digest?: string } {
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : text.slice(at + 1);
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  // a colon before the last slash belongs to the host's port
  if (colon === -1 || colon < named.lastIndexOf('/')) return { name: named, digest };
  return { name: named.slice(0, colon), tag: named.slice(colon + 1), digest };
}

/** Splits `[host/]path` as the kubelet does: the first segment is a host when it looks like one, else the host is Docker Hub. */
export function splitHost(name: string): Repository {
  const slash = name.indexOf('/');
  const first = name.slice(0, slash);
  const isHost = slash !== -1 && (/[.:A-Z]/.test(first) || first === 'localhost');
  return isHost ? { host: first, path: name.slice(slash + 1) } : { host: dockerHub, path: name };
}

function imageRef(host: string, path: string, tag: string | undefined, digest: Digest | undefined): ImageRef {
  const known = withHubName(host);
  return {
    host: known,
    path: known === dockerHub && !path.includes('/') ? `library/${path}` : path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}
