import type { TLSConfig } from '@temporalio/client';

/** Where the Temporal frontend is and how it is reached; `config.temporal` fits. */
export interface Endpoint {
  /** `host:port` */
  readonly address: string;
  readonly namespace: string;
  /** undefined: without TLS; PEM */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly serverName?: string };
  /** implies TLS */
  readonly apiKey?: string;
}

/** The same for both kinds of connection of the SDK. */
export function connectionOptions({ address, tls, apiKey }: Endpoint): { address: string; tls: boolean | TLSConfig; apiKey?: string } {
  return { address, tls: tls === undefined ? apiKey !== undefined : tlsConfig(tls), ...(apiKey === undefined ? {} : { apiKey }) };
}

function tlsConfig({ ca, cert, key, serverName }: NonNullable<Endpoint['tls']>): TLSConfig {
  return {
    ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
    ...(ca === undefined ? {} : { serverRootCACertificate: Buffer.from(ca) }),
    ...(cert === undefined || key === undefined ? {} : { clientCertPair: { crt: Buffer.from(cert), key: Buffer.from(key) } }),
  };
}
