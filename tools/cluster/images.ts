/**
 * The images that the chart pulls from Docker Hub, made here instead: PostgreSQL from the packages of Debian, Temporal
 * and its UI from their pinned Go modules. Each does what the chart asks of the official one, by the same commands and
 * variables. They are kept in the per-user cache.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { moduleFolder, pinnedVersion, programNamed, type ProgramName } from '../programs.js';
import { programsLayer, writeImage, type ImageConfig, type WriteLayer } from '../release/assemble.js';
import { baseLayer, unpackPackages, type User } from '../release/debian.js';
import { cacheFolder, toolPath } from '../toolchain.js';
import { withLock } from '../lock.js';

export interface BuiltImage {
  /** below a registry: `temporalio/server` */
  readonly repository: string;
  readonly tag: string;
  /** folder of its OCI layout */
  readonly layout: string;
}

interface Recipe {
  readonly repository: string;
  readonly tag: () => Promise<string>;
  /** what goes into it, as text: a change makes another image */
  readonly key: () => Promise<readonly string[]>;
  readonly layers: () => Promise<readonly WriteLayer[]>;
  readonly config: () => Promise<ImageConfig>;
}

const run = promisify(execFile);
const temporal: User = { name: 'temporal', id: 1000 };
const postgres: User = { name: 'postgres', id: 999 };

/** Those that `temporal.mode: bundled` runs. */
export const recipes = {
  server: programImage('temporalio/server', ['temporal-server'], []),
  adminTools: programImage('temporalio/admin-tools', ['temporal-sql-tool', 'temporal'], [shellLayer]),
  ui: uiImage(),
  postgresql: postgresqlImage(),
} as const satisfies Readonly<Record<string, Recipe>>;

/**
 * Builds an image, or finds it in the cache.
 *
 * @param registry its name is given below it: `kuik.test`
 */
export async function buildImage(recipe: Recipe, registry: string): Promise<BuiltImage> {
  const { repository } = recipe;
  const tag = await recipe.tag();
  const name = `${registry}/${repository}:${tag}`;
  const key = createHash('sha256').update([name, JSON.stringify(await recipe.config()), ...(await recipe.key())].join('\n')).digest('hex').slice(0, 12);
  const layout = join(dirname(cacheFolder()), 'images', `${repository.replaceAll('/', '-')}-${key}`);
  await mkdir(dirname(layout), { recursive: true });
  await withLock(`${layout}.lock`, async () => {
    if (existsSync(layout)) return;
    await writeImage(`${layout}.new`, { name, layers: await recipe.layers(), config: await recipe.config(), compression: 'fast' });
    await rename(`${layout}.new`, layout);
  });
  return { repository, tag, layout };
}

function programImage(repository: string, programs: readonly [ProgramName, ...ProgramName[]], more: readonly WriteLayer[]): Recipe {
  const [first] = programs;
  return {
    repository,
    tag: async () => pinnedVersion(programNamed(first)),
    key: async () => [String(shellLayer), ...(await Promise.all(programs.map(toolPath)))],
    layers: async () => [baseLayer(temporal), ...more, await programsOf(programs)],
    config: async () => runAs(temporal, { Entrypoint: [`/usr/local/bin/${first}`] }),
  };
}

async function programsOf(programs: readonly ProgramName[]): Promise<WriteLayer> {
  return programsLayer(Object.fromEntries(await Promise.all(programs.map(async (name) => [name, await toolPath(name)] as const))));
}

/** The UI reads a template of its own, which lies in its module and is what the variables of the chart are for. */
function uiImage(): Recipe {
  const home = 'home/ui-server';
  return {
    ...programImage('temporalio/ui', ['temporal-ui'], [
      async (root) => {
        await mkdir(join(root, home, 'config'), { recursive: true });
        const { stdout } = await run('go', ['list', '-m', '-f', '{{.Dir}}', 'github.com/temporalio/ui-server/v2'], { cwd: moduleFolder(programNamed('temporal-ui')) });
        await cp(join(stdout.trim(), 'config', 'docker.yaml'), join(root, home, 'config', 'docker.yaml'));
        await chmod(join(root, home, 'config', 'docker.yaml'), 0o644);
      },
    ]),
    config: async () => runAs(temporal, { Entrypoint: ['/usr/local/bin/temporal-ui', '--env', 'docker', 'start'], WorkingDir: `/${home}` }),
  };
}

function postgresqlImage(): Recipe {
  const folder = async (): Promise<string> => `/usr/lib/postgresql/${await postgresqlVersion()}/bin`;
  return {
    repository: 'library/postgres',
    tag: postgresqlVersion,
    key: async () => [String(shellLayer), postgresqlScript, ...(await postgresqlPackages())],
    layers: async () => [
      baseLayer(postgres),
      shellLayer,
      async (root) => unpackPackages(root, await postgresqlPackages()),
      async (root) => {
        const script = join(root, 'usr/local/bin/run-postgres');
        await mkdir(dirname(script), { recursive: true });
        await writeFile(script, postgresqlScript, { mode: 0o755 });
      },
    ],
    // as the official image: SIGTERM would wait for clients to leave, which Temporal never does
    config: async () => runAs(postgres, { Entrypoint: ['/usr/local/bin/run-postgres'], StopSignal: 'SIGINT', Env: [`PATH=${await folder()}:/usr/local/bin:/usr/bin:/bin`] }),
  };
}

/** The first start makes the cluster of databases, as the official image does: a user, its password, and who may come. */
const postgresqlScript = `#!/bin/sh
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --username="$POSTGRES_USER" --pwfile=/dev/stdin --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C <<PASSWORD
$POSTGRES_PASSWORD
PASSWORD
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
fi
exec postgres -c listen_addresses='*' "$@"
`;

/** The version this Debian has: `15`. */
async function postgresqlVersion(): Promise<string> {
  const { stdout } = await run('apt-cache', ['depends', 'postgresql']);
  const version = /postgresql-(\d+)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error('apt-cache knows no package postgresql: run apt-get update');
  return version;
}

/** Server, client, and the libraries below them. What compiles queries, and what scripts of packages are written in, is left out. */
async function postgresqlPackages(): Promise<readonly string[]> {
  const version = await postgresqlVersion();
  const names = [`postgresql-${version}`, `postgresql-client-${version}`];
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((kind) => `--no-${kind}`);
  const { stdout } = await run('apt-cache', ['depends', '--recurse', ...only, ...names], { maxBuffer: 16 << 20 });
  const below = [...new Set(stdout.split('\n').filter((line) => /^z?lib/.test(line) && !leftOut.test(line)))].sort();
  return [...names, ...below];
}

const leftOut = /^lib(?:llvm|z3|perl|.*-perl|.*-common|.*-modules|c-bin|c-l10n|debian-installer|elogind|newt|slang|textwrap)/;

/** A shell, and what scripts of the chart call beside: one program under several names. */
async function shellLayer(root: string): Promise<void> {
  await unpackPackages(root, ['busybox-static']);
  const bin = existsSync(join(root, 'bin')) ? 'bin' : 'usr/bin';
  for (const name of ['sh', 'sleep']) await symlink('busybox', join(root, bin, name));
}

function runAs({ id }: User, config: ImageConfig): ImageConfig {
  return { Env: ['PATH=/usr/local/bin:/usr/bin:/bin'], User: `${id}:${id}`, ...config };
}
