/** Puts an image together, out of folders as layers, without a container engine. */
import { chmod, copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { mediaTypes, OciLayout } from '../oci-layout.js';
import { writeLayer, type Compression, type Layer } from './layer.js';

/** Fills the empty folder that becomes a layer. */
export type WriteLayer = (root: string) => Promise<void>;

export interface ImageParts {
  /** `host/repository:tag` */
  readonly name: string;
  /** from the bottom: what changes least comes first, so that an upgrade pulls the last one */
  readonly layers: readonly WriteLayer[];
  /** @see OCI image specification 1.1, config.md, "config" */
  readonly config: ImageConfig;
  /** `small` unless told */
  readonly compression?: Compression;
}

export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  /** `user:group`, as numbers */
  readonly User?: string;
  readonly WorkingDir?: string;
  /** what a kubelet sends first to end it, SIGTERM unless told */
  readonly StopSignal?: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Of the machine, as images name it. */
export function architecture(): string {
  return architectures[process.arch] ?? process.arch;
}

/**
 * Writes an OCI layout whose root is named, for `crane push` as for `ctr images import`.
 *
 * @param dir new, or replaced
 * @returns digest of the image
 */
export async function writeImage(dir: string, { name, layers, config, compression }: ImageParts): Promise<string> {
  await rm(dir, { recursive: true, force: true });
  const layout = await OciLayout.create(dir);
  const scratch = await mkdtemp(join(dir, 'layers-'));
  try {
    const written: Layer[] = [];
    for (const [at, write] of layers.entries()) {
      const root = join(scratch, String(at));
      await mkdir(root);
      await write(root);
      written.push(await writeLayer(layout, root, scratch, compression));
      await rm(root, { recursive: true });
    }
    const described = await layout.put(mediaTypes.config, { os: 'linux', architecture: architecture(), config, rootfs: { type: 'layers', diff_ids: written.map(({ diffId }) => diffId) } });
    const manifest = await layout.put(mediaTypes.manifest, { schemaVersion: 2, mediaType: mediaTypes.manifest, config: described, layers: written.map(({ descriptor }) => descriptor) });
    // the first is what containerd reads, the second what everybody else does
    await layout.finish(manifest, { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1) });
    return manifest.digest;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** A layer with programs in `usr/local/bin`, by the name they get there. */
export function programsLayer(files: Readonly<Record<string, string>>): WriteLayer {
  return async (root) => {
    const bin = join(root, 'usr/local/bin');
    await mkdir(bin, { recursive: true });
    for (const [name, file] of Object.entries(files)) {
      await copyFile(file, join(bin, name));
      await chmod(join(bin, name), 0o755);
    }
  };
}
