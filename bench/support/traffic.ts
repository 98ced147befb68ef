import { requestsAnswered } from './access-log.js';
import type { TlsFiles } from './certificate.js';
import type { DelayRelay, Traffic } from './delay-relay.js';
import type { RegistryServer } from '../../tools/servers.js';

/** A relay and the registry behind it. */
export interface Line {
  readonly registry: Pick<RegistryServer, 'logFile'>;
  readonly relay: Pick<DelayRelay, 'traffic'>;
}

/**
 * Counts from now on what goes over lines.
 *
 * @param tls what hides requests from the relays: then the registries count them
 */
export function countTraffic(lines: Readonly<Record<string, Line>>, tls: TlsFiles | undefined): () => Readonly<Record<string, Traffic>> {
  const counts = Object.entries(lines).map(([name, { registry, relay }]) => {
    const before = tls === undefined ? 0 : requestsAnswered(registry);
    const count = (): Traffic => (tls === undefined ? relay.traffic() : { ...relay.traffic(), requests: requestsAnswered(registry) - before });
    return [name, count] as const;
  });
  return () => Object.fromEntries(counts.map(([name, count]) => [name, count()]));
}
