/** The only place that reads the configuration file. */
import { readFileSync } from 'node:fs';
import { loadConfig, type ConfigContext, type LoadedConfig } from './load-config.js';
import { readFile } from './read-file.js';

export const usualConfigPath = '/etc/kube-image-keeper/config.yaml';

/**
 * Reads the configuration once, at the start.
 *
 * @param path a missing file gives the defaults, unless it must exist; one that is there but cannot be read stops the start
 */
export function readConfig(path: string, { installNamespace, filesMayBeAbsent, mustExist = false }: Omit<ConfigContext, 'readFile'> & { readonly mustExist?: boolean }): LoadedConfig {
  let text: string | undefined;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (mustExist || !isMissing(error)) return { problems: [`the configuration ${path} cannot be read: ${String(error)}`] };
  }
  return loadConfig(text, { readFile, filesMayBeAbsent, installNamespace });
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
