/** The tags of a repository, page by page. @see OCI distribution specification 1.1, "Listing Tags" */
import * as z from 'zod';
import type { Repository } from '../../domain/image-ref.js';
import { parseForeignJson } from '../json.js';
import type { Call, Identity } from '../registry.js';
import { headerOf, readText, type Answer } from './answer.js';
import type { Asker } from './asker.js';
import type { Request } from './request.js';
import { failure } from './errors.js';
import { readScope } from './scope.js';

const pageSize = 1000;
const longestPageBytes = 1024 * 1024;
export const mostPages = 1000;

const Page = z.object({ tags: z.array(z.string()).nullish() });

export class TagLister {
  constructor(readonly asker: Asker) {}

  /** A repository that does not exist has no tags. */
  async *tags(repository: Repository, as: Identity, call: Call): AsyncGenerator<string, void, undefined> {
    let next: string | URL | undefined = `${repository.path}/tags/list?n=${pageSize}`;
    let last = '';
    let links = false;
    for (let page = 0; next !== undefined; page++) {
      const request = requestOf(repository, next);
      if (page === mostPages) throw failure('too-large', `${request.what} on ${call.side} ${repository.host} have more than ${mostPages} pages`, request, call);
      const { tags, link } = await this.#page(request, as, call);
      yield* tags;

      const end = tags.at(-1);
      links ||= link !== undefined;
      // some registries cut at n and never link: a full page may have a successor
      next = link ?? (!links && tags.length === pageSize && end !== undefined && end !== last ? `${repository.path}/tags/list?n=${pageSize}&last=${encodeURIComponent(end)}` : undefined);
      last = end ?? last;
    }
  }

  async #page(request: Request, as: Identity, call: Call): Promise<{ tags: readonly string[]; link: URL | undefined }> {
    return this.asker.use(request, as, call, async (answer) => {
      if (answer.status === 404) return { tags: [], link: undefined };
      if (answer.status !== 200) throw this.asker.refusal(answer, request, call);
      const text = answer.body === undefined ? '' : await readText(answer.body, longestPageBytes);
      if (text === undefined) throw failure('too-large', `${request.what} on ${call.side} ${request.host}: a page is larger than 1 MiB`, request, call);
      const page = Page.safeParse(parseJson(text));
      if (!page.success) throw failure('invalid', `${request.what} on ${call.side} ${request.host} do not parse`, request, call);
      return { tags: page.data.tags ?? [], link: nextPage(answer, request, call) };
    });
  }
}

/** `<...>; rel="next"`, relative or absolute, on the same host only. */
export function nextPage(answer: Answer, request: Request, call: Call): URL | undefined {
  const link = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(headerOf(answer.headers, 'link') ?? '')?.[1];
  if (link === undefined || !URL.canParse(link, answer.url.href)) return undefined;
  const url = new URL(link, answer.url);
  if (url.origin !== answer.url.origin) throw failure('invalid', `${request.what}: ${call.side} ${request.host} continues them on another host`, request, call);
  return url;
}

function parseJson(text: string): unknown {
  try {
    return parseForeignJson(text);
  } catch {
    return undefined;
  }
}

function requestOf(repository: Repository, path: string | URL): Request {
  return { method: 'GET', host: repository.host, path, what: `tags of ${repository.path}`, scopes: [readScope(repository)], lane: 'metadata', tryNextOn: [401, 403] };
}
