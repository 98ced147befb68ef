/**
 * The files of kuik itself, as an image holds them: the compiled program, the workflows bundled in advance, and the
 * packages it runs on, without what only builds and tests need. The Dockerfile and `make image` both call this, so
 * both make the same image:
 *
 *     node dist/tools/release/app.js FOLDER [--revision COMMIT --built TIME]
 */
import { chmod, cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildFile } from '../../src/commands/version.js';
import { unstamped, type Stamp } from './stamp.js';

/** Where it lies in the image. */
const home = 'app';

interface Locked {
  readonly dev?: boolean;
  /** a platform package that npm may leave out */
  readonly optional?: boolean;
}

/** Node comes on its own: the packages that carry one are for checkouts. */
const carriesNode = /^node_modules\/node-(?:bin-)?(?:linux|darwin)-/;
const native = 'node_modules/@temporalio/core-bridge/releases';
const triples: Readonly<Record<string, string>> = { x64: 'x86_64-unknown-linux-gnu', arm64: 'aarch64-unknown-linux-gnu' };
/** Types and source maps: an image runs, it is not developed in. */
const unread = /\.(?:d\.[cm]?ts|map|tsbuildinfo)$/;

/**
 * @param checkout a built checkout with its packages
 * @param root of the image
 * @param stamp what `kuik version` and the metric of the build say of it
 */
export async function writeApp(checkout: string, root: string, stamp: Stamp): Promise<void> {
  const to = join(root, home);
  await copy(join(checkout, 'dist/src'), join(to, 'dist/src'));
  for (const file of ['dist/workflows.bundle.js', 'package.json', 'LICENSE']) await copy(join(checkout, file), join(to, file));
  await writeFile(join(to, buildFile), `${JSON.stringify(stamp)}\n`);
  await copy(join(checkout, 'charts/kube-image-keeper/crds'), join(to, 'crds'));
  for (const path of await packagesOf(checkout)) await copyPackage(join(checkout, path), join(to, path));
  await keepOneNative(to);
  await writeStarter(root, 'usr/local/bin/kuik', '');
  await writeStarter(root, 'manager', "process.argv.splice(2, 0, 'run');\n"); // how charts of v2 start it
}

/** Folders of packages that run, by the lock file. */
async function packagesOf(checkout: string): Promise<string[]> {
  const { packages } = JSON.parse(await readFile(join(checkout, 'package-lock.json'), 'utf8')) as { packages: Readonly<Record<string, Locked>> };
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true && !carriesNode.test(path))
    .map(([path]) => path);
}

/** One package without those inside it, which have entries of their own; one for another platform is not there. */
async function copyPackage(from: string, to: string): Promise<void> {
  const entries = await readdir(from).catch((error: { code?: string }) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const entry of entries) if (entry !== 'node_modules') await copy(join(from, entry), join(to, entry));
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { recursive: true, filter: (file) => !unread.test(file) });
}

/** The native module of Temporal carries five targets; four of them are 120 MB that never load. */
async function keepOneNative(to: string): Promise<void> {
  const wanted = triples[process.arch];
  if (wanted === undefined) throw new Error(`no native module of Temporal for ${process.arch}: build on x64 or arm64`);
  for (const triple of await readdir(join(to, native))) if (triple !== wanted) await rm(join(to, native, triple), { recursive: true });
}

/** There is no shell in the image; Node reads the file itself. */
async function writeStarter(root: string, path: string, before: string): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/usr/local/bin/node\n${before}import('/${home}/dist/src/main.js');\n`);
  await chmod(file, 0o755);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals: [root] } = parseArgs({ allowPositionals: true, options: { revision: { type: 'string' }, built: { type: 'string' } } });
  if (root === undefined) throw new Error('name the folder to write to');
  await writeApp(process.cwd(), root, { ...unstamped, ...values });
}
