import { readFileSync } from 'node:fs';
import type { HostSettings, SettingsOf } from '../../registry/http/settings.js';
import type { CopyOptions } from './options.js';

/** How each host is spoken to, or everything that is wrong with it. */
export type Hosts = { readonly settings: SettingsOf } | { readonly problems: readonly string[] };

/**
 * Reads what the command line says of single hosts; all others have the defaults. Who asks for more images at once wants
 * more requests at once, four layers of each image among them, as other clients send: with the ceilings of one image, eight
 * images took twice as many round trips.
 *
 * @param imagesAtOnce that are really under way together
 */
export function readHosts({ plainHttp, caFiles }: Pick<CopyOptions, 'plainHttp' | 'caFiles'>, imagesAtOnce: number): Hosts {
  const pace: HostSettings = { metadataConcurrency: Math.max(8, 4 * imagesAtOnce), blobConcurrency: 4 * imagesAtOnce };
  const byHost = new Map<string, HostSettings>(plainHttp.map((host) => [host, { ...pace, plainHTTP: true }]));
  const problems: string[] = [];
  for (const { host, file } of caFiles) {
    if (plainHttp.includes(host)) problems.push(`--ca-file ${host}=${file}: ${host} is also given to --plain-http; leave one of them out`);
    try {
      byHost.set(host, { ...pace, ca: readFileSync(file, 'utf8') });
    } catch (error) {
      problems.push(`--ca-file ${host}=${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return problems.length > 0 ? { problems } : { settings: (host) => byHost.get(host) ?? pace };
}
