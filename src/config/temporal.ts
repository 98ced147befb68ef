import { z } from 'zod';
import type { FileReader } from './files.js';
import { flag, path, text } from './value-types.js';

const filled = (description: string) => z.string().min(1, { error: 'must not be empty' }).meta({ description });

export const temporal = z
  .strictObject({
    address: filled('Where the Temporal frontend answers, host:port.').default('localhost:7233'),
    namespace: filled('The Temporal namespace of this cluster, or of all clusters that share registries.').default('kuik'),
    shared: flag('Whether several clusters use this Temporal namespace.').default(false),
    servesWorkflows: flag('Whether the managers of this cluster run workflows. With `shared` others can run them instead: of clusters that are upgraded one after the other, those that run workflows go first.').default(true),
    tls: z
      .strictObject({
        caFile: path('PEM file of the authority of the frontend.').default(''),
        certFile: path('PEM file of a client certificate.').default(''),
        keyFile: path('PEM file of its key.').default(''),
        serverName: text('The name the certificate of the frontend is for. Default: that of address.').default(''),
      })
      .prefault({}),
    apiKeyFile: path('File with an API key; its presence turns TLS on.').default(''),
  })
  .refine(({ shared, servesWorkflows }) => servesWorkflows || shared, {
    path: ['servesWorkflows'],
    error: 'must be true where no other cluster uses the namespace, since nobody would run the workflows; set temporal.shared where one does',
  })
  .prefault({});

type Written = z.output<typeof temporal>;

export interface TemporalSettings {
  readonly address: string;
  readonly namespace: string;
  readonly shared: boolean;
  readonly servesWorkflows: boolean;
  /** undefined: without TLS; PEM */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly serverName?: string };
  readonly apiKey?: string;
}

export function readTemporal({ address, namespace, shared, servesWorkflows, tls, apiKeyFile }: Written, files: FileReader): TemporalSettings {
  const apiKey = files.read(apiKeyFile, 'temporal.apiKeyFile')?.trim();
  const read = {
    ca: files.read(tls.caFile, 'temporal.tls.caFile'),
    cert: files.read(tls.certFile, 'temporal.tls.certFile'),
    key: files.read(tls.keyFile, 'temporal.tls.keyFile'),
    serverName: tls.serverName || undefined,
  };
  const isEncrypted = apiKey !== undefined || Object.values(tls).some((value) => value !== '');
  return { address, namespace, shared, servesWorkflows, ...(isEncrypted && { tls: read }), ...(apiKey !== undefined && { apiKey }) };
}
