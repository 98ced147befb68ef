/** Writes OCI image layouts: blobs by digest, and one root. @see OCI image specification 1.1, image-layout.md */
import { createHash } from 'node:crypto';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

export class OciLayout {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async create(dir: string): Promise<OciLayout> {
    await mkdir(join(dir, 'blobs', 'sha256'), { recursive: true });
    return new OciLayout(dir);
  }

  async put(mediaType: string, content: Uint8Array | object): Promise<Descriptor> {
    const bytes = content instanceof Uint8Array ? content : json(content);
    const digest = digestOf(bytes);
    await writeFile(this.#blob(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** Takes a file over, whose digest is known. */
  async adopt(mediaType: string, digest: string, file: string): Promise<Descriptor> {
    await rename(file, this.#blob(digest));
    return { mediaType, digest, size: (await stat(this.#blob(digest))).size };
  }

  /** @param annotations of the root: names by which tools find it */
  async finish(root: Descriptor, annotations?: Readonly<Record<string, string>>): Promise<void> {
    const manifests = [annotations === undefined ? root : { ...root, annotations }];
    await writeFile(join(this.#dir, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
    await writeFile(join(this.#dir, 'index.json'), json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  }

  #blob(digest: string): string {
    return join(this.#dir, 'blobs', ...digest.split(':'));
  }
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function json(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
