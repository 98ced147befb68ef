import { connectionFailure, corruptFailure, refusalFailure, statusOf, type Intent } from './api-failure.js';
import { linesOf } from './lines.js';
import type { Requests } from './requests.js';
import type { ResourceType } from './resources.js';

/** An object as the API server sends it, decoded no further than what a list-and-watch needs. */
export interface RawObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly resourceVersion: string };
}

export interface Page {
  readonly items: readonly RawObject[];
  /** version of the whole list, the same on every page */
  readonly version: string;
}

/** One line of a watch; of a bookmark only the version counts. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: RawObject;
}

/** The version we know is too old: the server has forgotten what came after it. Only a new list helps. */
export class Expired extends Error {}

const longestLine = 16 * 1024 * 1024; // ten times what etcd stores; an object of that size is nobody's Pod

/** Lists and watches one collection over HTTP. */
export class ListWatch {
  readonly #requests: Requests;
  readonly #type: ResourceType;
  readonly #pageSize: number;
  /** only objects of this one; all of them when undefined */
  readonly #namespace: string | undefined;

  constructor(requests: Requests, type: ResourceType, { pageSize = 500, namespace }: { readonly pageSize?: number; readonly namespace?: string } = {}) {
    this.#requests = requests;
    this.#type = type;
    this.#pageSize = pageSize;
    this.#namespace = namespace;
  }

  /**
   * The whole collection as it is now, in pages. When a page's ticket runs out, the caller starts again.
   *
   * @throws Failure side `cluster`; Expired
   */
  async *pages(signal: AbortSignal): AsyncGenerator<Page, void> {
    const call = { verb: 'list', type: this.#type, namespace: this.#namespace, signal } as const;
    let ticket: string | undefined;
    do {
      const answer = await this.#unlessExpired(this.#requests.json({ ...call, query: { limit: this.#pageSize, continue: ticket } }));
      const { metadata, items } = readList(answer, call);
      yield { items, version: metadata.resourceVersion };
      ticket = metadata.continue || undefined;
    } while (ticket !== undefined);
  }

  /**
   * Changes after a version, until the server ends the watch, which it does after `timeoutSeconds`.
   *
   * @returns once the server has agreed; the changes are still to come
   * @throws Failure side `cluster`; Expired, here and between changes
   */
  async watch(version: string, timeoutSeconds: number, signal: AbortSignal): Promise<AsyncGenerator<WatchEvent, void>> {
    const intent = { verb: 'watch', type: this.#type, namespace: this.#namespace } as const;
    const query = { watch: 1, resourceVersion: version, allowWatchBookmarks: true, timeoutSeconds };
    const answer = await this.#unlessExpired(this.#requests.open({ ...intent, query, signal }));
    return readEvents(answer, intent, signal);
  }

  async #unlessExpired<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (statusOf(error) === 410) throw new Expired('version too old', { cause: error });
      throw error;
    }
  }
}

async function* readEvents(body: AsyncIterable<Uint8Array>, intent: Intent, signal: AbortSignal): AsyncGenerator<WatchEvent, void> {
  const lines = linesOf(body, longestLine);
  try {
    for (let line = await nextLine(lines, intent, signal); line !== undefined; line = await nextLine(lines, intent, signal)) {
      const event = readEvent(line, intent);
      if (event !== undefined) yield event;
    }
  } finally {
    await lines.return(); // closes the connection, whatever made us stop
  }
}

/** A cut connection is a failure to watch; our own abort is not. */
async function nextLine(lines: AsyncGenerator<string, void>, intent: Intent, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { value } = await lines.next();
    return value ?? undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    throw error instanceof RangeError ? corruptFailure(intent, 'endless line in the answer') : connectionFailure(intent, error);
  }
}

/** @returns undefined for types we do not know: newer servers may add some */
function readEvent(line: string, intent: Intent): WatchEvent | undefined {
  const event = parse(line, intent);
  if (event.type === 'ERROR') throw refusedInside(event.object, intent);
  if (typeof event.type !== 'string') throw corruptFailure(intent, 'line that is no event in the answer');
  if (!isEventType(event.type)) return undefined;
  if (!isRawObject(event.object)) throw corruptFailure(intent, 'object without a name in the answer');
  return { type: event.type, object: event.object };
}

function parse(line: string, intent: Intent): { readonly type?: unknown; readonly object?: unknown } {
  try {
    return Object(JSON.parse(line)) as object;
  } catch {
    throw corruptFailure(intent, 'unreadable line in the answer');
  }
}

/** The `Status` inside an ERROR event. */
function refusedInside(object: unknown, intent: Intent): Error {
  const status = typeof object === 'object' && object !== null ? (object as { code?: unknown; message?: unknown }) : {};
  const code = typeof status.code === 'number' ? status.code : 500;
  const message = typeof status.message === 'string' ? status.message : undefined;
  return code === 410 ? new Expired(message) : refusalFailure(intent, { code, message });
}

function isEventType(type: string): type is WatchEvent['type'] {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK';
}

/** A bookmark has a version and no name. */
function isRawObject(object: unknown): object is RawObject {
  if (typeof object !== 'object' || object === null || !('metadata' in object)) return false;
  const { metadata } = object;
  return typeof metadata === 'object' && metadata !== null && 'resourceVersion' in metadata && typeof metadata.resourceVersion === 'string';
}

/** What is left out would count as gone: a list is whole, or it is none. */
function readList(answer: unknown, intent: Intent): { items: readonly RawObject[]; metadata: { resourceVersion: string; continue?: string } } {
  if (!isRawObject(answer) || !('items' in answer)) throw corruptFailure(intent, 'answer that is no list');
  const items: unknown = answer.items ?? []; // an empty Go slice may be null
  if (!Array.isArray(items)) throw corruptFailure(intent, 'answer that is no list');
  if (!items.every(isRawObject)) throw corruptFailure(intent, 'object without a name in the answer');
  const metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number } = answer.metadata;
  if (!metadata.continue && (metadata.remainingItemCount ?? 0) > 0) throw corruptFailure(intent, 'list without its end in the answer');
  return { items, metadata };
}
