/** The registry client of a process, as configuration and environment say. */
import type { Config } from '../config/config.js';
import type { Environment } from '../config/environment.js';
import { registrySettingsOf } from '../config/registries.js';
import { createHttpRegistry, type HttpRegistry } from '../registry/http/client.js';
import type { Observer } from '../registry/http/observer.js';
import { userAgent } from './version.js';

export interface RegistryClientDeps {
  readonly config: Pick<Config, 'registries'>;
  readonly environment: Pick<Environment, 'proxy' | 'apiServerAddress'>;
  readonly version: string;
  readonly observer?: Observer;
}

/** @throws Error naming the proxy variable that cannot be used */
export function openRegistry({ config: { registries }, environment, version, observer }: RegistryClientDeps): HttpRegistry {
  const { apiServerAddress } = environment;
  return createHttpRegistry({
    settings: (host) => registrySettingsOf(registries, host),
    network: { ...registries.network, apiServer: apiServerAddress === undefined ? [] : [apiServerAddress] },
    proxy: environment.proxy,
    clock: Date.now,
    userAgent: userAgent(version),
    observer,
  });
}

/** Registries that whoever sits on the path can pose as, by settings of the operator: said once, at the start. */
export function weakened({ registries }: Pick<Config, 'registries'>): readonly { readonly registry: string; readonly setting: 'plainHTTP' | 'insecureSkipVerify' }[] {
  const settings = ['plainHTTP', 'insecureSkipVerify'] as const;
  return Object.entries(registries.items).flatMap(([registry, item]) => settings.filter((setting) => item[setting]).map((setting) => ({ registry, setting })));
}
