/**
 * Walks an image over plain HTTP, without any code of the product: what a copy is compared with. It follows indexes,
 * referrers (the registry's list, or the index under the fallback tag) and cosign's tags.
 */
import { createHash } from 'node:crypto';
import { request } from 'undici';

/** What was found: `<kind> <digest>`, for tags `<tag> -> <digest>`; sorted. */
export type Walked = readonly string[];

interface Document {
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly subject?: Descriptor;
}

interface Descriptor {
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
}

const accept = ['oci.image.index.v1', 'oci.image.manifest.v1', 'docker.distribution.manifest.list.v2', 'docker.distribution.manifest.v2'].map((name) => `application/vnd.${name}+json`).join(', ');

/** @param repository `host:port/path`; @throws when something that is named is absent, or differs from its digest */
export async function walk(repository: string, reference: string): Promise<Walked> {
  const slash = repository.indexOf('/');
  const base = `http://${repository.slice(0, slash)}/v2${repository.slice(slash)}`;
  const seen = new Set<string>();
  const root = await manifestAt(base, reference, seen);
  await describedBy(base, root, seen);
  return [...seen].sort();
}

async function manifestAt(base: string, reference: string, seen: Set<string>): Promise<readonly string[]> {
  const { status, bytes } = await get(`${base}/manifests/${reference}`);
  if (status !== 200) throw new Error(`${reference} is ${status}`);
  const digest = digestLike(bytes, reference);
  if (reference.includes(':') && reference !== digest) throw new Error(`${reference} has other bytes`);
  if (seen.has(`manifest ${digest}`)) return [];
  seen.add(`manifest ${digest}`);

  const { manifests = [], config, layers = [] } = JSON.parse(bytes.toString()) as Document;
  for (const blob of [...(config === undefined ? [] : [config]), ...layers]) await blobAt(base, blob, seen);
  const below: string[] = [digest];
  for (const child of manifests) below.push(...(await manifestAt(base, child.digest, seen)));
  return below;
}

async function blobAt(base: string, { digest, size }: Descriptor, seen: Set<string>): Promise<void> {
  const { status, bytes } = await get(`${base}/blobs/${digest}`);
  if (status !== 200 || bytes.length !== size || digestLike(bytes, digest) !== digest) throw new Error(`blob ${digest} is ${status}, ${bytes.length} bytes`);
  seen.add(`blob ${digest}`);
}

async function describedBy(base: string, subjects: readonly string[], seen: Set<string>): Promise<void> {
  for (const subject of subjects) {
    for (const { digest } of await referrersOf(base, subject)) {
      if (!seen.has(`manifest ${digest}`)) await describedBy(base, await manifestAt(base, digest, seen), seen);
      seen.add(`${subject} is described by ${digest}`);
    }
    for (const suffix of ['sig', 'att', 'sbom']) await taggedBeside(base, `${subject.replace(':', '-')}.${suffix}`, seen);
  }
}

async function referrersOf(base: string, subject: string): Promise<readonly Descriptor[]> {
  const found: Descriptor[] = [];
  for (let url: string | undefined = `${base}/referrers/${subject}`; url !== undefined; ) {
    const { status, bytes, link } = await get(url);
    if (status !== 200) return fallbackOf(base, subject);
    found.push(...(JSON.parse(bytes.toString()) as Document).manifests!);
    const next: string | undefined = /<([^>]*)>/.exec(link)?.[1];
    url = next === undefined ? undefined : new URL(next, url).href;
  }
  return found;
}

async function fallbackOf(base: string, subject: string): Promise<readonly Descriptor[]> {
  const { status, bytes } = await get(`${base}/manifests/${subject.replace(':', '-')}`);
  return status === 200 ? (JSON.parse(bytes.toString()) as Document).manifests! : [];
}

async function taggedBeside(base: string, tag: string, seen: Set<string>): Promise<void> {
  const { status, bytes } = await get(`${base}/manifests/${tag}`);
  if (status !== 200) return;
  const digest = digestLike(bytes, 'sha256:');
  seen.add(`${tag} -> ${digest}`);
  await manifestAt(base, digest, seen);
}

async function get(url: string): Promise<{ readonly status: number; readonly bytes: Buffer; readonly link: string }> {
  const { statusCode, headers, body } = await request(url, { headers: { accept } });
  return { status: statusCode, bytes: Buffer.from(await body.arrayBuffer()), link: String(headers.link ?? '') };
}

function digestLike(bytes: Buffer, like: string): string {
  const algorithm = like.startsWith('sha512:') ? 'sha512' : 'sha256';
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}
