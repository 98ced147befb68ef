import * as z from 'zod';
import { isDigest, type Digest } from '../domain/digest.js';
import { digestBytes } from './hash.js';
import { parseForeignJson } from './json.js';
import { bareType, isGenericType, isImageType, isIndexType, isSchema1, ociIndex, ociManifest } from './media-types.js';
import type { Descriptor, Manifest } from './registry.js';

/** A manifest larger than this is not read. The specification's minimum for push is 4 MiB. */
export const manifestLimitBytes = 8 * 1024 * 1024;
/** How many indexes may stand inside one another, and manifests below one root. */
export const graphLimits = { depth: 8, nodes: 4000 } as const;

/** What a manifest says, without its bytes. */
export type ManifestView = Pick<Manifest, 'mediaType' | 'type' | 'manifests' | 'blobs' | 'subject'>;

/** Why bytes are no manifest we can use; the message completes "manifest ...". */
export interface ManifestProblem {
  readonly code: 'invalid' | 'unsupported';
  readonly problem: string;
}

const Text = z.string();
const Platform = z.object({ os: Text.optional(), architecture: Text, variant: Text.optional() });
const DescriptorDoor = z.object({
  mediaType: Text.min(1),
  digest: z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'not a digest'),
  size: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  platform: Platform.optional().catch(undefined),
  annotations: z.record(Text, Text).optional().catch(undefined),
  artifactType: Text.optional().catch(undefined),
  urls: z.array(Text).optional().catch(undefined),
  data: Text.optional().catch(undefined),
});
const Document = z.object({
  schemaVersion: z.number().optional(),
  mediaType: Text.optional(),
  manifests: z.array(DescriptorDoor).optional(),
  config: DescriptorDoor.optional(),
  layers: z.array(DescriptorDoor).optional(),
  subject: DescriptorDoor.optional().catch(undefined),
  artifactType: Text.optional().catch(undefined),
  annotations: z.record(Text, Text).optional().catch(undefined),
});
type Document = z.infer<typeof Document>;

/**
 * Reads a manifest: OCI image and index, Docker schema 2 and list. Unknown fields are left alone.
 *
 * @param bytes the exact body
 * @param contentType the answer's header; parameters are ignored
 * @returns a view of it, or why there is none
 * @see OCI image specification 1.1, manifest.md and image-index.md
 */
export function readManifest(bytes: Uint8Array, contentType: string | undefined): ManifestView | ManifestProblem {
  const declared = bareType(contentType);
  if (isSchema1(declared)) return { code: 'unsupported', problem: 'is of schema 1, which registries no longer serve everywhere' };

  const document = parseDocument(bytes);
  if ('problem' in document) return document;

  const mediaType = typeOf(document, declared);
  return typeof mediaType === 'string' ? viewOf(document, mediaType) : mediaType;
}

/**
 * How a manifest stands in the list of what refers to its subject.
 *
 * @see OCI distribution specification 1.1, "Pushing Manifests with Subject": type and annotations are the manifest's own
 */
export function describeReferrer({ digest, mediaType, bytes }: Pick<Manifest, 'digest' | 'mediaType' | 'bytes'>): Descriptor {
  const document = parseDocument(bytes);
  const { annotations, artifactType, config } = 'problem' in document ? {} : document;
  const type = artifactType || config?.mediaType;
  return { mediaType, digest, size: bytes.length, ...(type === undefined ? {} : { artifactType: type }), ...(annotations === undefined ? {} : { annotations }) };
}

/**
 * The content that a descriptor carries with it.
 *
 * @returns undefined when it carries none, or something else than it describes: then it is asked for as if there were none
 */
export function embeddedBytes({ data, digest, size }: Pick<Descriptor, 'data' | 'digest' | 'size'>): Uint8Array | undefined {
  if (data === undefined) return undefined;
  const bytes = Buffer.from(data, 'base64');
  return bytes.length === size && digestBytes(bytes, digest) === digest ? bytes : undefined;
}

/** A layer that its registry need not hold. Its `urls` are never fetched: whoever wrote them chose where we connect. */
export function isForeign({ mediaType, urls = [] }: Descriptor): boolean {
  return urls.length > 0 || /nondistributable|\.foreign\./.test(mediaType);
}

export function isProblem(read: ManifestView | ManifestProblem): read is ManifestProblem {
  return 'problem' in read;
}

/** Each digest once, in order of first sight. */
export function uniqueByDigest(descriptors: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()];
}

function parseDocument(bytes: Uint8Array): Document | ManifestProblem {
  let json: unknown;
  try {
    json = parseForeignJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    return { code: 'invalid', problem: 'is no JSON, or nested beyond measure' };
  }
  const parsed = Document.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return { code: 'invalid', problem: `has an unusable ${issue?.path.join('.') || 'body'}` };
}

/** The header decides unless it says nothing; header, body and shape must agree. */
function typeOf(document: Document, declared: string): string | ManifestProblem {
  if (document.schemaVersion === 1) return { code: 'unsupported', problem: 'is of schema 1, which registries no longer serve everywhere' };
  const isIndex = document.manifests !== undefined;
  const isImage = document.config !== undefined || document.layers !== undefined;
  if (isIndex && isImage) return { code: 'invalid', problem: 'is an index and an image at once' };

  const inside = bareType(document.mediaType);
  if (!isGenericType(declared) && inside !== '' && declared !== inside) return { code: 'invalid', problem: `calls itself ${inside}, but was served as ${declared}` };
  const mediaType = isGenericType(declared) ? inside : declared;
  if (mediaType !== '') return mediaType;
  if (isIndex) return ociIndex;
  return isImage ? ociManifest : { code: 'invalid', problem: 'is neither an index nor an image' };
}

function viewOf(document: Document, mediaType: string): ManifestView | ManifestProblem {
  if (isSchema1(mediaType)) return { code: 'unsupported', problem: 'is of schema 1, which registries no longer serve everywhere' };
  const subject = document.subject === undefined ? {} : { subject: document.subject };
  if (isIndexType(mediaType)) {
    if (document.manifests === undefined) return { code: 'invalid', problem: `is called ${mediaType}, but lists no manifests` };
    return { mediaType, type: 'index', manifests: document.manifests, blobs: [], ...subject };
  }
  if (!isImageType(mediaType)) return { code: 'unsupported', problem: `is of the unknown type ${mediaType.slice(0, 128)}` };
  if (document.config === undefined || document.layers === undefined) return { code: 'invalid', problem: `is called ${mediaType}, but has no config or no layers` };
  return { mediaType, type: 'image', manifests: [], blobs: [document.config, ...document.layers], ...subject };
}
