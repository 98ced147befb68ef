/**
 * Names left by kuik v1, whose node-local proxy stood in front of every image: `localhost:7439/nginx:1.27`.
 */
import { parseImageRef, type ImageRef } from './image-ref.js';
import type { Pod, Usage } from './usage.js';

/** Where v1's proxy listened unless told otherwise. */
export const usualV1ProxyPort = 7439;

/** What a usage stands for: the image its Pod would pull without us. */
export interface Origin {
  readonly ref: ImageRef;
  /** written as a name of v1's proxy, which no longer answers */
  readonly isV1: boolean;
}

/** What identifies a usage within its Pod, and the text in question. */
export type WrittenUsage = Pick<Usage, 'key' | 'field' | 'written'>;

/**
 * Reads what a usage names.
 *
 * @param v1ProxyPort port of v1's proxy on every node; 0 leaves its names alone
 * @returns undefined when the text is no reference
 */
export function originOf(usage: WrittenUsage, pod: Pick<Pod, 'annotations'>, v1ProxyPort: number): Origin | undefined {
  const proxied = proxiedText(usage.written, v1ProxyPort);
  if (proxied === undefined) return originFrom(usage.written, false);
  return originFrom(withPort(recordedByV1(usage, pod, proxied) ?? proxied), true);
}

function originFrom(text: string, isV1: boolean): Origin | undefined {
  const ref = parseImageRef(text);
  return ref && { ref, isV1 };
}

/** The part behind the proxy; undefined when the text does not go through it. */
function proxiedText(written: string, port: number): string | undefined {
  const front = `localhost:${port}/`;
  return port > 0 && written.startsWith(front) ? written.slice(front.length) : undefined;
}

const longestKey = 63;

/**
 * The annotation v1 left for a container; a name too long for a key was replaced by its SHA-1. v1 wrote it anew at each
 * update of the Pod, from the text it had put there itself: so it may have lost its port, and where v1 was asked after
 * us, it holds our own answer, and does not count.
 */
function recordedByV1({ key, field }: WrittenUsage, { annotations }: Pick<Pod, 'annotations'>, proxied: string): string | undefined {
  const prefix = field === 'initContainers' ? 'original-init-image-' : 'original-image-';
  const name = prefix + key;
  const recorded = name.length <= longestKey ? [annotations[name] ?? ''] : Object.entries(annotations).flatMap(([other, text]) => (isHashed(other, prefix) ? [text] : []));
  return recorded.find((text) => withoutPort(text) === proxied);
}

function isHashed(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && /^[0-9a-f]{40}$/.test(name.slice(prefix.length));
}

/** v1 wrote the port of a registry with a dash: `registry.example.com-5000/foo` was `registry.example.com:5000/foo`. */
function withPort(text: string): string {
  return text.replace(/^([^/]*\.[^/]*)-([0-9]{1,5})(?=\/)/, '$1:$2');
}

function withoutPort(text: string): string {
  return text.replace(/^([^/]*):([0-9]+)(?=\/)/, '$1-$2');
}
