/** A content digest: `sha256:` with 64 or `sha512:` with 128 lower-case hexadecimal digits. */
export type Digest = string & { readonly __kind: 'Digest' };

const digestForm = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** @see OCI image specification 1.1, descriptor.md, "Digests"; only the registered algorithms are accepted */
export function isDigest(text: string): text is Digest {
  return digestForm.test(text);
}

/** Says what a text is by its type; undefined when it is no digest. */
export function parseDigest(text: string | undefined): Digest | undefined {
  return text !== undefined && isDigest(text) ? text : undefined;
}

export function algorithmOf(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}
