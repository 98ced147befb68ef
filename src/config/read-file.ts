import { readFileSync } from 'node:fs';

/** @returns undefined when it is absent or unreadable: that is the same to the caller, who names the key */
export function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
