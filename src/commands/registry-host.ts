import { parseImageRef } from '../domain/image-ref.js';

/**
 * A registry as somebody names it: `host[:port]`.
 *
 * @returns its host as images have it, since Docker Hub has several names; undefined for what is no host, such as `quay`,
 *   which is the first part of a path at Docker Hub
 */
export function registryHost(text: string): string | undefined {
  const ref = text.includes('/') ? undefined : parseImageRef(`${text}/some/image`);
  return ref?.path === 'some/image' ? ref.host : undefined;
}
