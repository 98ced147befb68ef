import { rm } from 'node:fs/promises';
import { startRegistry, type RegistryServer } from '../../tools/servers.js';
import type { TlsFiles } from './certificate.js';

export interface BenchRegistryOptions {
  readonly tls?: TlsFiles;
  /** with these images; empty unless told */
  readonly dir?: string;
}

/** Starts a registry. Over TLS no relay sees requests, so it keeps a log of them. */
export function openRegistry(name: 'source' | 'destination', { tls, dir }: BenchRegistryOptions = {}): Promise<RegistryServer> {
  return startRegistry({ name, dir, tls, accessLog: tls === undefined ? undefined : 'kept' });
}

/** Stops a registry and removes its images. */
export async function discard(registry: RegistryServer): Promise<void> {
  await registry.stop();
  await rm(registry.dir, { recursive: true, force: true });
}

/** Registries that live through a whole bench. */
export class Registries {
  readonly #open: RegistryServer[] = [];

  async open(...[name, options]: Parameters<typeof openRegistry>): Promise<RegistryServer> {
    const registry = await openRegistry(name, options);
    this.#open.push(registry);
    return registry;
  }

  async discard(): Promise<void> {
    for (const registry of this.#open.splice(0)) await discard(registry);
  }
}
