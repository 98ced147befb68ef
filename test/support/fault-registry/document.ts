/** What is read of a manifest: images, indexes and artifacts alike. */
export interface ManifestDocument {
  readonly manifests?: readonly { readonly digest: string }[];
  readonly config?: { readonly digest: string; readonly mediaType?: string };
  readonly layers?: readonly { readonly digest: string; readonly urls?: readonly string[] }[];
  readonly subject?: { readonly digest: string };
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function documentOf(bytes: Buffer): ManifestDocument | undefined {
  try {
    const document: unknown = JSON.parse(bytes.toString());
    return typeof document === 'object' && document !== null ? document : undefined;
  } catch {
    return undefined;
  }
}
