import { readFileSync } from 'node:fs';
import type { RegistryServer } from '../../tools/servers.js';

const accessLine = /"(?:GET|HEAD|POST|PUT|PATCH|DELETE) \/\S* HTTP\/\d/g;

/** Requests that a registry started with `accessLog` has answered since: over TLS nobody else can count them. */
export function requestsAnswered({ logFile }: Pick<RegistryServer, 'logFile'>): number {
  return readFileSync(logFile, 'utf8').match(accessLine)?.length ?? 0;
}
