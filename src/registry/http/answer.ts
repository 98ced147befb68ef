import type { Dispatcher } from 'undici';
import type { CredentialId } from '../../domain/availability.js';
import type { Credential } from '../registry.js';

/** Headers of an answer, by name in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** One entry of a registry's `errors`. @see OCI distribution specification 1.1, "Error Codes" */
export interface RegistryError {
  readonly code: string;
  readonly message: string;
}

/** A registry's last word on one request. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** where it came from after redirects */
  readonly url: URL;
  /** what it was seen with */
  readonly identity: CredentialId;
  readonly credential: Credential | undefined;
  /** the `Authorization` it was asked with: nothing of it may reach a message */
  readonly sent?: string;
  /** it came from, or by way of, another origin than the registry's */
  readonly isForeign?: boolean;
  /** what the operator may do about a refusal */
  readonly hint?: string;
  /** read whole when the status is 400 or more; empty otherwise */
  readonly errors: readonly RegistryError[];
  /** undefined where a token service refused in the registry's place */
  readonly body: Dispatcher.ResponseData['body'] | undefined;
  /** Gives back connection and slot; what was not read is dropped. Safe to call twice. */
  close(): void;
}

/** The first value of a header. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

const longestErrorBody = 64 * 1024;

/** Reads the errors of a refused request, defensively: at most 64 KiB, and anything that is not an error list is none. */
export async function readErrors(body: AsyncIterable<Uint8Array>): Promise<readonly RegistryError[]> {
  const text = await readText(body, longestErrorBody).catch(() => undefined);
  if (text === undefined) return [];
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown };
    return Array.isArray(errors) ? errors.slice(0, 8).map(readError) : [];
  } catch {
    return [];
  }
}

/** @returns undefined when there is more than the limit */
export async function readText(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<string | undefined> {
  return (await readBytes(body, limitBytes))?.toString('utf8');
}

/** @returns undefined when there is more than the limit */
export async function readBytes(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > limitBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function readError(value: unknown): RegistryError {
  const { code, message } = (typeof value === 'object' && value !== null ? value : {}) as { code?: unknown; message?: unknown };
  return { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : '' };
}
