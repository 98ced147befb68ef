/** Images in memory, for registries of any kind: the same words give the same bytes. */
import { createHash } from 'node:crypto';
import type { Digest } from '../../src/domain/digest.js';
import { knownImageRef } from '../../src/domain/image-ref.js';
import { ociIndex, ociManifest } from '../../src/registry/media-types.js';
import type { BlobSource, Call, Descriptor, Identity, Manifest, Registry } from '../../src/registry/registry.js';

export interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

type Written = Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>;

/** One platform's image. */
export interface AnImage {
  readonly manifest: Written;
  readonly descriptor: Descriptor;
  readonly blobs: readonly Blob[];
}

/** An index and its images; a single image is its own root. */
export interface AGraph {
  readonly root: Written;
  readonly images: readonly AnImage[];
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** Repeatable bytes of any length. */
export function someBytes(seed: string, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  let block = createHash('sha256').update(seed).digest();
  for (let at = 0; at < length; at += block.length) {
    block.copy(bytes, at);
    block = createHash('sha256').update(block).digest();
  }
  return bytes;
}

export function aBlob(seed: string, length = 1000, mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip'): Blob {
  const bytes = someBytes(seed, length);
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

/** @param layers seeds of layers, or blobs; equal seeds are equal layers */
export function anImage(name: string, options: { readonly platform?: string; readonly layers?: readonly (string | Blob)[]; readonly annotations?: Readonly<Record<string, string>> } = {}): AnImage {
  const { platform = 'linux/amd64', layers = [`${name}-layer`] } = options;
  const [os = '', architecture = '', variant] = platform.split('/');
  const config = blobOf('application/vnd.oci.image.config.v1+json', Buffer.from(JSON.stringify({ os, architecture, variant, name })));
  const blobs = [config, ...layers.map((layer) => (typeof layer === 'string' ? aBlob(layer) : layer))];
  const [first, ...rest] = blobs.map(({ descriptor }) => descriptor);
  const manifest = written({ schemaVersion: 2, mediaType: ociManifest, config: first, layers: rest });
  const descriptor: Descriptor = {
    mediaType: ociManifest,
    digest: manifest.digest,
    size: manifest.bytes.length,
    platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
    ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
  };
  return { manifest, descriptor, blobs };
}

export function anIndex(images: readonly AnImage[], extra: object = {}): AGraph {
  return { root: written({ schemaVersion: 2, mediaType: ociIndex, manifests: images.map(({ descriptor }) => descriptor), ...extra }), images };
}

export function single(image: AnImage): AGraph {
  return { root: image.manifest, images: [image] };
}

/** An image for each platform, all sharing the layer `base`. */
export function aMultiPlatformImage(name: string, ...platforms: readonly string[]): AGraph {
  return anIndex(platforms.map((platform) => anImage(`${name}-${platform}`, { platform, layers: ['base', `${name}-${platform}`] })));
}

export function blobOf(mediaType: string, bytes: Uint8Array): Blob {
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

export function written(document: { readonly mediaType: string; readonly [field: string]: unknown }): Written {
  const bytes = Buffer.from(JSON.stringify(document));
  return { bytes, mediaType: document.mediaType, digest: digestOf(bytes) };
}

/** Bytes as an upload reads them. */
export function sourceOf(bytes: Uint8Array): BlobSource {
  return {
    async *open(offset) {
      yield bytes.subarray(offset);
    },
  };
}

/** A layer that is made quickly, however large: every mebibyte of it differs. */
export function aLargeBlob(seed: string, mebibytes: number): Blob {
  const mebibyte = Buffer.from(someBytes(seed, 1 << 20));
  const bytes = Buffer.concat(Array.from({ length: mebibytes }, () => mebibyte));
  for (let at = 0; at < mebibytes; at++) bytes.writeUInt32BE(at, at << 20);
  return { bytes, descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digestOf(bytes), size: bytes.length } };
}

/** Bytes in pieces, as they come from a connection. */
export function piecesOf(bytes: Uint8Array, pieceBytes = 65_536): BlobSource {
  return {
    async *open(offset) {
      for (let at = offset; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
    },
  };
}

export function aCall(more: Partial<Call> = {}): Call {
  return { signal: new AbortController().signal, purpose: 'copy', side: 'source', ...more };
}

/** Pushes blobs, then manifests, then the tag, through the port. */
export async function pushImage(registry: Registry, name: string, graph: AGraph, as: Identity = []): Promise<Digest> {
  const at = knownImageRef(name);
  const call = aCall({ side: 'destination' });
  for (const image of graph.images) {
    for (const { descriptor, bytes } of image.blobs) await registry.putBlob(at, descriptor, sourceOf(bytes), as, call);
    const isRoot = image.manifest.digest === graph.root.digest;
    if (!isRoot) await registry.putManifest({ host: at.host, path: at.path, digest: image.manifest.digest }, image.manifest, as, call);
  }
  await registry.putManifest(at, graph.root, as, call);
  return graph.root.digest;
}

/** Something that describes a manifest, as cosign or an SBOM tool pushes it. Its config is the empty one, carried along as `data`. */
export function aReferrer(name: string, subject: Written, options: { readonly artifactType?: string; readonly annotations?: Readonly<Record<string, string>> } = {}): AnImage {
  const { artifactType = 'application/vnd.example.signature', annotations } = options;
  const empty = blobOf('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
  const content = aBlob(`${name}-content`, 300, 'application/vnd.example.content');
  const manifest = written({
    schemaVersion: 2,
    mediaType: ociManifest,
    artifactType,
    config: { ...empty.descriptor, data: Buffer.from(empty.bytes).toString('base64') },
    layers: [content.descriptor],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.bytes.length },
    ...(annotations === undefined ? {} : { annotations }),
  });
  return { manifest, descriptor: { mediaType: ociManifest, digest: manifest.digest, size: manifest.bytes.length, artifactType }, blobs: [empty, content] };
}

/** Pushes what describes an image, by digest, and makes it findable. */
export async function pushReferrer(registry: Registry, name: string, { manifest, blobs }: AnImage, as: Identity = []): Promise<Digest> {
  const { host, path } = knownImageRef(name);
  const call = aCall({ side: 'destination' });
  for (const { descriptor, bytes } of blobs) await registry.putBlob({ host, path }, descriptor, sourceOf(bytes), as, call);
  const at = { host, path, digest: manifest.digest };
  await registry.putManifest(at, manifest, as, call);
  await registry.linkReferrer({ host, path }, await registry.manifest(at, as, call), as, call);
  return manifest.digest;
}
