import { z } from 'zod';
import { cidr, duration, flag, path, text, whole } from './value-types.js';
import type { FileReader } from './files.js';

const ofHost = z.strictObject({
  plainHTTP: flag('Whether the registry is spoken to without TLS; localhost and loopback addresses always are.').default(false),
  insecureSkipVerify: flag('Whether any certificate is accepted.').default(false),
  caFile: path('PEM file of authorities, added to those of the system.').optional(),
  certFile: path('PEM file of a client certificate.').optional(),
  keyFile: path('PEM file of its key.').optional(),
  endpoint: text('Where the registry really answers, host[:port]. Default: its own name.').optional(),
  proxies: flag('Whether the endpoint stands for other registries too, as a cache does. Pulls then say which registry is meant (ns), and its credentials are not shown to the endpoint, unless allowHosts names it.').default(false),
  pathPrefix: text('Put before /v2/, for registries below a path.').optional(),
  headers: z.record(z.string(), z.string()).meta({ description: 'Extra request headers, to this registry only.' }).optional(),
  metadataConcurrency: whole('Most requests for manifests and tags at once.', 1).default(8),
  blobConcurrency: whole('Most transfers of layers at once.', 1).default(4),
  requestsPerSecond: z.number().positive({ error: 'must be positive' }).max(100_000, { error: 'must be at most 100000' }).meta({ description: 'Most requests a second. Default: no limit but what the registry says.' }).optional(),
  burst: whole('Requests that may go at once after a rest. Default: those of one second.', 1).optional(),
  quotaReserve: whole('Percent of the quota a registry tells about that copies, checks and deletions leave to starting Pods.', 0, 100).default(20),
  minBytesPerSecond: whole('A download slower than this for a whole stallTimeout is broken off; 0 never does.').default(1024),
  stallTimeout: duration('A download without a byte for this long is broken off.', { least: 1000 }).prefault('1m'),
  uploadMode: z
    .enum(['auto', 'monolithic', 'chunked', 'stream'])
    .meta({ description: 'How the bytes of a layer are sent. auto: in one request, until the registry or a proxy before it refuses that, then in chunks; monolithic: always in one PUT; chunked: in several requests of chunkBytes; stream: in one PATCH.' })
    .default('auto'),
  chunkBytes: whole('Bytes of one chunk, where layers are sent in chunks.', 512 * 1024).default(16 * 1024 * 1024),
  capabilities: z
    .strictObject({
      tagDelete: flag('Whether DELETE of a tag deletes that tag and no other.').optional(),
      referrers: flag('Whether the registry itself lists what refers to an image.').optional(),
      mount: flag('Whether layers can be mounted from other repositories.').optional(),
      singlePost: flag('Whether a small blob may come with the POST that opens an upload.').optional(),
    })
    .meta({ description: 'What the registry can do. Default: tried, and remembered for a day.' })
    .optional(),
  allowHosts: z.array(text('host or *.domain')).meta({ description: 'Other hosts this registry may point to: for tokens, downloads, uploads.' }).default([]),
  deleteShared: z
    .enum(['block', 'isolate'])
    .meta({ description: 'What to do with a copy that can only be deleted together with others of the same content. block: keep it; isolate: move its tag to a tiny manifest first.' })
    .default('block'),
});

export const registries = z
  .strictObject({
    items: z.record(z.string(), ofHost).meta({ description: 'How one registry is spoken to, by host[:port] or *.domain; the exact host wins.' }).prefault({}),
    network: z
      .strictObject({
        allow: z.array(cidr).meta({ description: 'Networks that registries may be in, in spite of deny and of the usual rules. Link-local and metadata addresses only for registries with settings of their own.' }).default([]),
        deny: z.array(cidr).meta({ description: 'Networks that no registry may be in.' }).default([]),
      })
      .prefault({}),
  })
  .prefault({});

type Written = z.output<typeof registries>;

/** How one registry is spoken to; files are read already. */
export interface RegistrySettings {
  /** it stands in the configuration */
  readonly isConfigured?: true;
  readonly plainHTTP: boolean;
  readonly insecureSkipVerify: boolean;
  /** PEM */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly endpoint?: string;
  readonly proxies: boolean;
  readonly pathPrefix?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly metadataConcurrency: number;
  readonly blobConcurrency: number;
  readonly requestsPerSecond?: number;
  readonly burst?: number;
  /** percent */
  readonly quotaReserve: number;
  readonly minBytesPerSecond: number;
  readonly stallTimeoutMs: number;
  readonly uploadMode: 'auto' | 'monolithic' | 'chunked' | 'stream';
  readonly chunkBytes: number;
  readonly capabilities?: Readonly<Partial<Record<'tagDelete' | 'referrers' | 'mount' | 'singlePost', boolean>>>;
  readonly allowHosts: readonly string[];
  readonly deleteShared: 'block' | 'isolate';
}

export interface Registries {
  readonly default: RegistrySettings;
  /** by `host[:port]` or `*.domain` */
  readonly items: Readonly<Record<string, RegistrySettings>>;
  /** as CIDRs */
  readonly network: { readonly allow: readonly string[]; readonly deny: readonly string[] };
}

export function readRegistries(written: Written, files: FileReader): Registries {
  const items = Object.entries(written.items).map(([host, { caFile, certFile, keyFile, stallTimeout: stallTimeoutMs, ...rest }]) => {
    const key = `registries.items.${host}`;
    const read = { ca: files.read(caFile, `${key}.caFile`), cert: files.read(certFile, `${key}.certFile`), key: files.read(keyFile, `${key}.keyFile`) };
    return [host, { ...rest, ...read, stallTimeoutMs, isConfigured: true as const }] as const;
  });
  const { stallTimeout: stallTimeoutMs, ...usual } = ofHost.parse({});
  return { default: { ...usual, stallTimeoutMs }, items: Object.fromEntries(items), network: written.network };
}

/** Settings of a registry: of its exact name, else of the longest `*.domain` that holds it, else the default. */
export function registrySettingsOf(registries: Registries, host: string): RegistrySettings {
  const item = registryItemOf(registries, host);
  return (item === undefined ? undefined : registries.items[item]) ?? registries.default;
}

/** The key of `items` that says how a registry is spoken to; undefined: none, the default does. */
export function registryItemOf({ items }: Pick<Registries, 'items'>, host: string): string | undefined {
  if (Object.hasOwn(items, host)) return host;
  return Object.keys(items)
    .filter((name) => name.startsWith('*.') && host.endsWith(name.slice(1)))
    .sort((one, other) => other.length - one.length)[0];
}
