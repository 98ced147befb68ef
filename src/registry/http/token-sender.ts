import { headerOf, readText } from './answer.js';
import type { TokenSender } from './auth.js';
import { askRealm, drop, type WireDeps } from './exchange.js';
import type { TokenResult } from './observer.js';
import type { Endpoint } from './settings.js';

const longestTokenAnswer = 64 * 1024;
const tokenTimeoutMs = 30_000;

/** Token requests take no place in the queue, since whoever needs one holds a place, and have their own deadline. */
export function tokenSender(wire: WireDeps, registry: Endpoint, tell: (result: TokenResult) => void): TokenSender {
  return async ({ method, url, headers: { authorization, ...headers }, body }) => {
    const bytes = body === undefined ? undefined : { bytes: Buffer.from(body) };
    const asking = askRealm(wire, registry, { method, url, headers, body: bytes, authorization }, AbortSignal.timeout(tokenTimeoutMs));
    const answer = await asking.catch((error: unknown) => (tell('failed'), Promise.reject(error as Error)));
    try {
      tell(resultOf(answer.status));
      return { status: answer.status, text: (await readText(answer.body, longestTokenAnswer)) ?? '', retryAfter: headerOf(answer.headers, 'retry-after') };
    } finally {
      drop(answer.body);
    }
  };
}

function resultOf(status: number): TokenResult {
  if (status === 200) return 'granted';
  return status === 429 ? 'throttled' : 'refused';
}
