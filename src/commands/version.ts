import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import type { Version } from './documents/version.js';

export interface Build {
  /** of package.json */
  readonly version: string;
  /** commit it was built from; empty in a checkout, where git knows better */
  readonly revision: string;
  /** RFC 3339: when that commit was made, so that the same commit is the same build; empty with `revision` */
  readonly built: string;
}

/** Beside package.json, in images: revision and time, which a checkout has no need of. */
export const buildFile = 'build.json';

export function readBuild(): Build {
  const file = findPackageJSON('..', import.meta.url) ?? 'package.json';
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return { version, ...readStamp(join(dirname(file), buildFile)) };
}

function readStamp(file: string): Pick<Build, 'revision' | 'built'> {
  try {
    const { revision = '', built = '' } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Build>;
    return { revision, built };
  } catch {
    return { revision: '', built: '' };
  }
}

/** How registries see us. */
export function userAgent(version: string): string {
  return `kube-image-keeper/${version} (+https://github.com/enix/kube-image-keeper)`;
}

/** `kuik 3.0.0, revision 1a2b3c4d5e6f of 2026-11-28T14:30:00.000Z (node v24.21.0, linux/x64)` */
export function versionText({ version, revision, built }: Build): string {
  const from = revision === '' ? '' : `, revision ${revision}${built === '' ? '' : ` of ${built}`}`;
  return `kuik ${version}${from} (node ${process.version}, ${process.platform}/${process.arch})`;
}

/** @returns 0 printed, 1 failed */
export async function version(args: readonly string[]): Promise<number> {
  const { runVersion } = await import('./version/run.js'); // others only read what is above
  return runVersion(args);
}

export function versionDocument({ version: number, revision, built }: Build): Version {
  return {
    apiVersion: 'cli.kuik.enix.io/v1',
    kind: 'Version',
    version: number,
    ...(revision === '' ? {} : { revision }),
    ...(built === '' ? {} : { built }),
    node: process.version,
    platform: `${process.platform}/${process.arch}`,
  };
}
