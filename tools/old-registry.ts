/**
 * distribution 2.8, the strict old one: no deletion by tag, no paging, no sparse index. It is used where it is
 * installed (Debian and Ubuntu: `apt-get install docker-registry`) and never built: its module does not build with
 * the others.
 */
import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { startRegistry } from './registry.js';
import type { RegistryOptions, RegistryServer } from './registry.js';
import { isExecutable } from './executable.js';

const program = 'docker-registry';
const variable = 'KUIK_TOOL_DOCKER_REGISTRY';

/** Where it is, or why tests that need it are skipped. */
export type OldRegistry = { readonly path: string } | { readonly missing: string };

/** Looks at `KUIK_TOOL_DOCKER_REGISTRY`, then for `docker-registry` on the PATH. */
export async function findOldRegistry(environment: Readonly<Record<string, string | undefined>> = process.env): Promise<OldRegistry> {
  const named = environment[variable];
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  const paths = named ? [named] : folders.map((folder) => join(folder, program)).filter(isExecutable);
  for (const path of paths) {
    const version = await versionOf(path);
    if (/\s2\.8\./.test(version)) return { path };
  }
  return { missing: named ? `${variable}=${named} is no distribution 2.8` : `${program} 2.8 is not on the PATH (apt-get install ${program})` };
}

/** Starts it; the same options and the same answers as for the new one. */
export async function startOldRegistry(path: string, options: Omit<RegistryOptions, 'command'> = {}): Promise<RegistryServer> {
  return startRegistry({ name: 'old-registry', ...options, command: path });
}

async function versionOf(path: string): Promise<string> {
  try {
    return (await promisify(execFile)(path, ['--version'], { timeout: 10_000 })).stdout;
  } catch {
    return '';
  }
}
