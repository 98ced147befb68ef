import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** As cert-manager and kubectl name it in a Secret of certificates. */
const authorityFile = 'ca.crt';

/** @returns PEM; undefined when whoever provides the certificate says nothing of its authority */
export async function readAuthority(folder: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, authorityFile), 'utf8');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
}
