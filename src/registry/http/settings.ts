import { dockerHub } from '../../domain/image-ref.js';
import type { Capabilities } from './capabilities.js';

/** How one registry is spoken to: `registries.items.<host>`, with files already read. Everything has a default. */
export interface HostSettings {
  /** the operator wrote settings for this host: it may be where others may not */
  readonly isConfigured?: true;
  readonly plainHTTP?: boolean;
  readonly insecureSkipVerify?: boolean;
  /** PEM, added to the system's roots */
  readonly ca?: string;
  /** client certificate and key, PEM */
  readonly cert?: string;
  readonly key?: string;
  /** where the host really answers: `host[:port]` */
  readonly endpoint?: string;
  /** the endpoint stands for other registries too: pulls say which is meant (`ns`), and credentials stay here unless `allowHosts` names it */
  readonly proxies?: boolean;
  /** put before `/v2/`: `/registry` */
  readonly pathPrefix?: string;
  /** extra request headers, to this host only */
  readonly headers?: Readonly<Record<string, string>>;
  /** ceilings of the adaptive limit; 8 and 4 */
  readonly metadataConcurrency?: number;
  readonly blobConcurrency?: number;
  /** rate, and how many may go at once after a rest: one second's worth unless told; no limit of our own without a rate */
  readonly requestsPerSecond?: number;
  readonly burst?: number;
  /** percent of a registry's quota that background work leaves to Pods; 20 */
  readonly quotaReserve?: number;
  /** a download below this rate, over a whole stall timeout, is broken off: 1024, and one minute */
  readonly minBytesPerSecond?: number;
  readonly stallTimeoutMs?: number;
  /** how the bytes of a blob are sent: in one PUT, in several PATCHes, in one PATCH; `auto` begins with one PUT and learns */
  readonly uploadMode?: 'auto' | 'monolithic' | 'chunked' | 'stream';
  /** bytes of a chunk; 16 MiB */
  readonly chunkBytes?: number;
  /** what the registry can do; overrides what is learned */
  readonly capabilities?: Capabilities;
  /** other hosts this registry may point to: exact names, or `*.domain` */
  readonly allowHosts?: readonly string[];
  /** a tag that cannot be deleted without others stays (`block`, the default), or is moved to a tiny manifest first */
  readonly deleteShared?: 'block' | 'isolate';
}

/** Settings of a registry by its `host[:port]`. */
export type SettingsOf = (host: string) => HostSettings;

/** The network form of a registry: where requests for it go. */
export interface Endpoint {
  /** `host[:port]` as references write it: what people read, what credentials and quotas belong to */
  readonly host: string;
  /** scheme, name and port, without a trailing slash */
  readonly origin: string;
  /** put before `/v2/`; empty or `/...` */
  readonly prefix: string;
  readonly settings: HostSettings;
}

/** Docker Hub's API answers under another name than its references. */
const hubEndpoint = 'registry-1.docker.io';

/**
 * Finds where a registry answers. https, except for `plainHTTP`, and for `localhost` and loopback addresses without
 * an authority of their own: an automatic fallback would hand the choice to whoever sits on the path.
 */
export function endpointOf(host: string, settings: HostSettings): Endpoint {
  const address = settings.endpoint ?? (host === dockerHub ? hubEndpoint : host);
  const isPlain = settings.plainHTTP === true || (settings.ca === undefined && isLoopbackName(nameOf(address)));
  const scheme = isPlain ? 'http' : 'https';
  const prefix = (settings.pathPrefix ?? '').replace(/\/+$/, '');
  return { host, origin: new URL(`${scheme}://${address}`).origin, prefix, settings };
}

/** `localhost`, 127.0.0.0/8 and ::1, as a URL spells them. */
export function isLoopbackName(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname === '::1' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** Name or address without the port. */
function nameOf(address: string): string {
  return address.replace(/:\d+$/, '');
}
