/** The only place that reads the configuration file. */
import { readFileSync } from 'node:fs';
import type { Environment } from './environment.js';
import { loadConfig, type LoadedConfig } from './load-config.js';
import { readFile } from './read-file.js';

export const usualConfigPath = '/etc/kube-image-keeper/config.yaml';

/**
 * Reads the configuration once, at the start.
 *
 * @param path a missing file gives the defaults; one that is there but cannot be read stops the start
 */
export function readConfig(path: string, { installNamespace }: Pick<Environment, 'installNamespace'>): LoadedConfig {
  let text: string | undefined;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!isMissing(error)) return { problems: [`the configuration ${path} cannot be read: ${String(error)}`] };
  }
  return loadConfig(text, { readFile, installNamespace });
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
