/**
 * Makes real OCI images out of nothing but a seed: the same specification gives the same digests on every machine.
 * Demo, tests and benches push them with an independent client.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { digestOf, mediaTypes, OciLayout, type Descriptor } from './oci-layout.js';

export interface ImageSpec {
  /** `os/architecture`; two or more make an index */
  readonly platforms: readonly string[];
  /** layers of each platform; a seed without `{platform}` is shared by all platforms */
  readonly layers: readonly LayerSpec[];
  /** placed into the configuration, so that two images with equal layers differ */
  readonly name: string;
}

export interface LayerSpec {
  /** equal seeds give equal layers; `{platform}` is replaced */
  readonly seed: string;
  /** bytes that do not compress */
  readonly size: number;
}

/**
 * Writes an image as an OCI layout with one root, an index when there are several platforms.
 *
 * @returns digest of the root
 */
export async function writeImageLayout(dir: string, spec: ImageSpec): Promise<string> {
  const layout = await OciLayout.create(dir);
  const manifests = [];
  for (const platform of spec.platforms) manifests.push({ ...(await writeManifest(layout, spec, platform)), platform: platformOf(platform) });
  const [only] = manifests;
  const root = manifests.length === 1 && only !== undefined ? only : await layout.put(mediaTypes.index, { schemaVersion: 2, mediaType: mediaTypes.index, manifests });
  await layout.finish(root);
  return root.digest;
}

async function writeManifest(layout: OciLayout, spec: ImageSpec, platform: string): Promise<Descriptor> {
  const layers: Descriptor[] = [];
  const diffIds: string[] = [];
  for (const layer of spec.layers) {
    const seed = layer.seed.replaceAll('{platform}', platform);
    const tar = tarOf(`data/${seed.replaceAll('/', '-')}`, noise(seed, layer.size));
    diffIds.push(digestOf(tar));
    layers.push(await layout.put(mediaTypes.layer, gzipSync(tar, { level: 1 })));
  }
  const config = await layout.put(mediaTypes.config, { ...platformOf(platform), config: { Labels: { name: spec.name } }, rootfs: { type: 'layers', diff_ids: diffIds } });
  return layout.put(mediaTypes.manifest, { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers });
}

function platformOf(text: string): { os: string; architecture: string } {
  const [os = 'linux', architecture = 'amd64'] = text.split('/');
  return { os, architecture };
}

/** Bytes that do not compress, the same for the same seed: a cipher over zeros. */
function noise(seed: string, size: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

const block = 512;

/** One file as a tar archive. @see POSIX.1-2008, pax, "ustar Interchange Format" */
function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(block);
  header.write(name.slice(0, 99), 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        0', 148); // eight blanks stand in for the checksum while it is summed; then the type, a file
  header.write('ustar\0' + '00', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((block - (content.length % block)) % block);
  return Buffer.concat([header, content, padding, Buffer.alloc(2 * block)]);
}
