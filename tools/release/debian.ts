/** The bottom of an image: a few Debian packages, unpacked without running their scripts, which a program and its libraries do not need. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WriteLayer } from './assemble.js';
import { system } from './command.js';

/** What Node and the native module of Temporal are linked against, authorities, time zones, and names of ports. */
const basePackages = ['libc6', 'libgcc-s1', 'libstdc++6', 'ca-certificates', 'tzdata', 'netbase'] as const;

/** Nobody reads documentation in an image. */
const leftOut = ['usr/share/doc', 'usr/share/man', 'usr/share/lintian', 'usr/share/locale', 'usr/share/info'];

const authorities = 'usr/share/ca-certificates/mozilla';

/** As v2 ran. */
export const user: User = { name: 'kuik', id: 65_532 };

export interface User {
  readonly name: string;
  /** of the user and of its group */
  readonly id: number;
}

/** The bottom layer of an image: what every program of it needs, and whom it runs as. */
export function baseLayer(runsAs: User): WriteLayer {
  return async (root) => {
    await unpackPackages(root, basePackages);
    await writeAuthorities(root);
    await writeUsers(root, runsAs);
  };
}

/** @throws Error when a package cannot be had */
export async function unpackPackages(root: string, packages: readonly string[]): Promise<void> {
  const debs = await mkdtemp(join(tmpdir(), 'kuik-debs-'));
  try {
    await system('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', ...packages], debs);
    await mkdir(root, { recursive: true });
    for (const deb of (await readdir(debs)).sort()) await system('dpkg-deb', ['-x', join(debs, deb), root]);
  } finally {
    await rm(debs, { recursive: true });
  }
  for (const folder of leftOut) await rm(join(root, folder), { recursive: true, force: true });
}

/** What the script of `ca-certificates` would do. */
async function writeAuthorities(root: string): Promise<void> {
  const names = (await readdir(join(root, authorities))).sort();
  const bundle = await Promise.all(names.map((name) => readFile(join(root, authorities, name), 'utf8')));
  await mkdir(join(root, 'etc/ssl/certs'), { recursive: true });
  await writeFile(join(root, 'etc/ssl/certs/ca-certificates.crt'), bundle.join(''));
}

async function writeUsers(root: string, { name, id }: User): Promise<void> {
  await mkdir(join(root, 'etc'), { recursive: true });
  await mkdir(join(root, 'tmp'), { recursive: true });
  await chmod(join(root, 'tmp'), 0o1777);
  await writeFile(join(root, 'etc/passwd'), `root:x:0:0:root:/:/sbin/nologin\n${name}:x:${id}:${id}:${name}:/tmp:/sbin/nologin\n`);
  await writeFile(join(root, 'etc/group'), `root:x:0:\n${name}:x:${id}:\n`);
}
