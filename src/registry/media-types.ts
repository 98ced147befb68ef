/** Names of manifests, and how a registry is asked for them. @see OCI image specification 1.1, media-types.md */

export const ociIndex = 'application/vnd.oci.image.index.v1+json';
export const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
export const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json';

/**
 * Sent with every GET and HEAD of a manifest, whole: distribution answers 404 for an OCI manifest that exists
 * when its type is not listed, so a 404 means `missing` only with this header.
 */
export const acceptManifests = [ociIndex, ociManifest, dockerList, dockerManifest].join(', ');

const schema1 = [
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
];
const generic = ['', 'application/json', 'text/plain', 'application/octet-stream'];

export function isIndexType(mediaType: string): boolean {
  return mediaType === ociIndex || mediaType === dockerList;
}

export function isImageType(mediaType: string): boolean {
  return mediaType === ociManifest || mediaType === dockerManifest;
}

export function isManifestType(mediaType: string): boolean {
  return isIndexType(mediaType) || isImageType(mediaType);
}

export function isSchema1(mediaType: string): boolean {
  return schema1.includes(mediaType);
}

/** A type that says nothing about a manifest: the body has to. */
export function isGenericType(mediaType: string): boolean {
  return generic.includes(mediaType);
}

/** `Content-Type` without parameters, in lower case; empty when absent. */
export function bareType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
}
