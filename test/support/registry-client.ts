/** The real client beside scripted registries: opened for a test, closed after it. */
import { isIP } from 'node:net';
import { afterEach } from '@jest/globals';
import { knownImageRef, type ImageName, type ImageRef } from '../../src/domain/image-ref.js';
import { createHttpRegistry, type HttpRegistry, type HttpRegistryOptions } from '../../src/registry/http/client.js';
import type { RegistryEvent } from '../../src/registry/http/observer.js';
import { startFaultRegistry, type FaultRegistry, type FaultRegistryOptions } from './fault-registry.js';

const opened: (() => Promise<void>)[] = [];
let isHooked = false;

/** Closes what tests of this file opened; call it once at the top of a file. */
export function closeAfterEach(): void {
  if (isHooked) return;
  isHooked = true;
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });
}

export async function aRegistryServer(options: FaultRegistryOptions = {}): Promise<FaultRegistry> {
  const server = await startFaultRegistry(options);
  opened.push(() => server.close());
  return server;
}

/** Closes something else when the test ends. */
export function closeLater<T extends { close(): Promise<void> }>(server: T): T {
  opened.push(() => server.close());
  return server;
}

/** A resolver of our own: names of tests are on loopback, unless told. */
export function resolving(names: Readonly<Record<string, string | readonly string[]>> = {}): NonNullable<HttpRegistryOptions['resolve']> {
  return (name) => Promise.resolve([names[name] ?? '127.0.0.1'].flat().map((address) => ({ address, family: isIP(address) })));
}

export interface ClientUnderTest {
  readonly registry: HttpRegistry;
  readonly events: readonly RegistryEvent[];
}

export function aClient(options: Partial<HttpRegistryOptions> = {}): ClientUnderTest {
  const events: RegistryEvent[] = [];
  // no jitter: tests do not wait, and counts do not depend on luck
  const registry = createHttpRegistry({ settings: () => ({}), clock: Date.now, userAgent: 'kube-image-keeper/test', random: () => 0, observer: (event) => events.push(event), ...options });
  opened.push(() => registry.close());
  return { registry, events };
}

export function refAt(server: Pick<FaultRegistry, 'host'>, path: string): ImageRef {
  return knownImageRef(`${server.host}/${path}`);
}

export function nameAt(server: Pick<FaultRegistry, 'host'>, path: string): ImageName {
  return `${server.host}/${path}` as ImageName;
}
