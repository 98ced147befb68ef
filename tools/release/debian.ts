/** The bottom of an image: a few Debian packages, unpacked without running their scripts, which a program and its libraries do not need. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { system } from './command.js';

/** What Node and the native module of Temporal are linked against, authorities, time zones, and names of ports. */
export const basePackages = ['libc6', 'libgcc-s1', 'libstdc++6', 'ca-certificates', 'tzdata', 'netbase'] as const;

/** Nobody reads documentation in an image. */
const leftOut = ['usr/share/doc', 'usr/share/man', 'usr/share/lintian', 'usr/share/locale', 'usr/share/info'];

const authorities = 'usr/share/ca-certificates/mozilla';

/** As v2 ran. */
export const user = { name: 'kuik', id: 65_532 } as const;

/** @throws Error when a package cannot be had */
export async function unpackPackages(root: string, packages: readonly string[] = basePackages): Promise<void> {
  const debs = await mkdtemp(join(tmpdir(), 'kuik-debs-'));
  try {
    await system('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', ...packages], debs);
    await mkdir(root, { recursive: true });
    for (const deb of (await readdir(debs)).sort()) await system('dpkg-deb', ['-x', join(debs, deb), root]);
  } finally {
    await rm(debs, { recursive: true });
  }
  for (const folder of leftOut) await rm(join(root, folder), { recursive: true, force: true });
  await writeAuthorities(root);
  await writeUsers(root);
}

/** What the script of `ca-certificates` would do. */
async function writeAuthorities(root: string): Promise<void> {
  const names = (await readdir(join(root, authorities))).sort();
  const bundle = await Promise.all(names.map((name) => readFile(join(root, authorities, name), 'utf8')));
  await mkdir(join(root, 'etc/ssl/certs'), { recursive: true });
  await writeFile(join(root, 'etc/ssl/certs/ca-certificates.crt'), bundle.join(''));
}

async function writeUsers(root: string): Promise<void> {
  await mkdir(join(root, 'etc'), { recursive: true });
  await mkdir(join(root, 'tmp'), { recursive: true });
  await chmod(join(root, 'tmp'), 0o1777);
  await writeFile(join(root, 'etc/passwd'), `root:x:0:0:root:/:/sbin/nologin\n${user.name}:x:${user.id}:${user.id}:${user.name}:/tmp:/sbin/nologin\n`);
  await writeFile(join(root, 'etc/group'), `root:x:0:\n${user.name}:x:${user.id}:\n`);
}
