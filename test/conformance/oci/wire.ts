/** A registry as it is on the wire: raw HTTP, no client of ours between. */
import { Agent, request, type Dispatcher } from 'undici';
import { blobOf, digestOf, type AnImage, type Blob } from '../../support/images.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Buffer;
  /** fewer bytes than its length says */
  readonly isShort: boolean;
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
}

export class Wire {
  readonly #agent = new Agent();

  /** @param base `http://127.0.0.1:5000` */
  constructor(readonly base: string) {}

  async ask(method: Dispatcher.HttpMethod, path: string, { headers, body }: Ask = {}): Promise<Answer> {
    // undici takes any iterable; its types name only streams
    const sent = (body ?? null) as Dispatcher.DispatchOptions['body'];
    const answer = await request(new URL(path, this.base), { method, headers: headers === undefined ? null : { ...headers }, body: sent, dispatcher: this.#agent });
    const chunks: Buffer[] = [];
    let isShort = false;
    try {
      for await (const chunk of answer.body as AsyncIterable<Buffer>) chunks.push(chunk);
    } catch {
      isShort = true;
    }
    const names = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
    return { status: answer.statusCode, headers: Object.fromEntries(names) as Answer['headers'], bytes: Buffer.concat(chunks), isShort };
  }

  /** Opens an upload session: where its bytes go. */
  async open(name: string): Promise<string> {
    return locationOf(await this.must(202, 'POST', `/v2/${name}/blobs/uploads/`));
  }

  /** As `ask`, for what only prepares a question. */
  async must(status: number, method: Dispatcher.HttpMethod, path: string, ask: Ask = {}): Promise<Answer> {
    const answer = await this.ask(method, path, ask);
    if (answer.status !== status) throw new Error(`cannot ask: ${method} ${path} gave ${said(answer)} instead of ${status}`);
    return answer;
  }

  /** Pushes a blob in the way that every registry takes: POST, PUT. */
  async pushBlob(name: string, { bytes, descriptor }: Blob): Promise<void> {
    await this.must(201, 'PUT', withDigest(await this.open(name), descriptor.digest), { headers: octets, body: bytes });
  }

  async pushImage(name: string, reference: string, image: AnImage): Promise<Answer> {
    for (const blob of image.blobs) await this.pushBlob(name, blob);
    return this.must(201, 'PUT', `/v2/${name}/manifests/${reference}`, manifestBody(image.manifest));
  }

  /** Whether a manifest is there, whatever its type. */
  async sees(name: string, reference: string): Promise<'there' | 'gone'> {
    const { status } = await this.ask('HEAD', `/v2/${name}/manifests/${reference}`, { headers: { accept: everyType } });
    return status === 200 ? 'there' : 'gone';
  }

  async tags(name: string, query = ''): Promise<{ readonly answer: Answer; readonly tags: readonly string[] }> {
    const answer = await this.ask('GET', `/v2/${name}/tags/list${query}`);
    const { tags = [] } = answer.status === 200 ? (JSON.parse(answer.bytes.toString()) as { tags?: string[] | null }) : {};
    return { answer, tags: tags ?? [] };
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}

export const octets = { 'content-type': 'application/octet-stream' };

export const everyType = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

export function manifestBody({ bytes, mediaType }: { readonly bytes: Uint8Array; readonly mediaType: string }): Ask {
  return { headers: { 'content-type': mediaType }, body: bytes };
}

export function locationOf({ headers }: Answer): string {
  if (headers['location'] === undefined) throw new Error('cannot ask: the answer has no Location');
  return headers['location'];
}

export function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}

/** `201`, or a refusal with its code: `404 NAME_UNKNOWN`. */
export function said({ status, bytes }: Answer): string {
  if (status < 400) return String(status);
  try {
    const { errors } = JSON.parse(bytes.toString()) as { errors?: { code?: string }[] };
    return [status, errors?.[0]?.code].filter((part) => part !== undefined).join(' ');
  } catch {
    return String(status);
  }
}

/** Whether a registry kept what was pushed, in words. */
export function isSame(bytes: Uint8Array, expected: Uint8Array): string {
  return Buffer.from(bytes).equals(Buffer.from(expected)) ? 'the bytes' : 'other bytes';
}

/** A blob whose words make it differ from that of any other rule. */
export function rulesBlob(name: string, length = 1000): Blob {
  const bytes = Buffer.alloc(length, `${name} `);
  return blobOf('application/vnd.oci.image.layer.v1.tar', bytes);
}

export function absentDigest(name: string): string {
  return digestOf(Buffer.from(`nobody pushes this to ${name}`));
}
