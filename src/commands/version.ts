import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

export interface Build {
  /** of package.json */
  readonly version: string;
}

export function readBuild(): Build {
  const file = findPackageJSON('..', import.meta.url);
  const { version } = JSON.parse(readFileSync(file ?? 'package.json', 'utf8')) as { version: string };
  return { version };
}

/** How registries see us. */
export function userAgent(version: string): string {
  return `kube-image-keeper/${version} (+https://github.com/enix/kube-image-keeper)`;
}

export async function version(): Promise<number> {
  process.stdout.write(`kuik ${readBuild().version} (node ${process.version}, ${process.platform}/${process.arch})\n`);
  return 0;
}
