/**
 * Finds the programs that demo, tests and benches start. In this order:
 *
 * 1. `KUIK_TOOL_<NAME>` (`KUIK_TOOL_KUBE_APISERVER=/usr/bin/kube-apiserver`) names a binary: it is used, or we fail.
 * 2. A program of that name on the PATH that runs and is the one we mean, of whatever version.
 * 3. The per-user cache, `$KUIK_CACHE_DIR`, else `$XDG_CACHE_HOME/kuik`, else `~/.cache/kuik`.
 * 4. Built from its pinned Go module into that cache.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { buildProgram } from './go-build.js';
import { goVersion } from './go-version.js';
import type { Environment } from './go-version.js';
import { moduleFolder, pinnedVersion, programNamed } from './programs.js';
import type { Program, ProgramName } from './programs.js';

const run = promisify(execFile);

export interface Tool {
  readonly program: Program;
  readonly path: string;
  readonly from: 'environment' | 'path' | 'cache' | 'build';
  /** the pinned one for `cache` and `build`, else what the program says of itself */
  readonly version: string;
}

const found = new Map<ProgramName, Promise<Tool>>();

/**
 * Path of a program, built if need be. Remembered for the life of this process.
 *
 * @throws Error that names the program, its module and what to do next
 */
export async function toolPath(name: ProgramName): Promise<string> {
  const tool = found.get(name) ?? ensureTool(programNamed(name));
  found.set(name, tool);
  return (await tool).path;
}

async function ensureTool(program: Program): Promise<Tool> {
  return (await findTool(program)) ?? (await buildTool(program));
}

/** The program, if it need not be built. */
export async function findTool(program: Program, environment: Environment = process.env): Promise<Tool | undefined> {
  return (await fromEnvironment(program, environment)) ?? (await fromPath(program, environment)) ?? (await fromCache(program, environment));
}

/** Builds the program into the cache; two processes that ask at once share one build. */
export async function buildTool(program: Program, environment: Environment = process.env): Promise<Tool> {
  const path = join(cacheFolder(environment), await cacheKey(program, environment), program.name);
  await buildProgram(program, path, environment);
  return { program, path, from: 'build', version: pinnedVersion(program) };
}

/** `kube-apiserver` is named by `KUIK_TOOL_KUBE_APISERVER`. */
export function variableOf(program: Program): string {
  return `KUIK_TOOL_${program.name.toUpperCase().replaceAll('-', '_')}`;
}

async function fromEnvironment(program: Program, environment: Environment): Promise<Tool | undefined> {
  const path = environment[variableOf(program)];
  if (!path) return undefined;
  const version = await versionOf(program, path);
  if (version === undefined) throw new Error(`${variableOf(program)}=${path} is not a ${program.name} that runs: name another binary, or unset the variable to have it built`);
  return { program, path, from: 'environment', version };
}

async function fromPath(program: Program, environment: Environment): Promise<Tool | undefined> {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  for (const path of folders.map((folder) => join(folder, program.name)).filter(isExecutable)) {
    const version = await versionOf(program, path);
    if (version !== undefined) return { program, path, from: 'path', version };
  }
  return undefined;
}

async function fromCache(program: Program, environment: Environment): Promise<Tool | undefined> {
  const folder = await cachedFolder(program, environment);
  const path = folder && join(folder, program.name);
  return path && isExecutable(path) ? { program, path, from: 'cache', version: pinnedVersion(program) } : undefined;
}

/** Without Go nothing can be built, but what any Go built before is still good. */
async function cachedFolder(program: Program, environment: Environment): Promise<string | undefined> {
  const cache = cacheFolder(environment);
  const exact = await cacheKey(program, environment).catch(() => undefined);
  if (exact !== undefined) return join(cache, exact);
  const [start, end] = [`${program.name}-${pinHash(program)}-`, `-${platform()}`];
  const name = existsSync(cache) ? readdirSync(cache).find((each) => each.startsWith(start) && each.endsWith(end)) : undefined;
  return name && join(cache, name);
}

/** `crane-1f0c9a2b3d4e-go1.26-linux-x64`: a new pin, another Go or another machine type is another folder. */
export async function cacheKey(program: Program, environment: Environment = process.env): Promise<string> {
  const { major, minor } = await goVersion(environment);
  return `${program.name}-${pinHash(program)}-go${major}.${minor}-${platform()}`;
}

function pinHash(program: Program): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go'].map((name) => join(moduleFolder(program), name))) {
    if (existsSync(file)) hash.update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}

/** Where built programs are kept. */
export function cacheFolder(environment: Environment = process.env): string {
  const kuik = environment['KUIK_CACHE_DIR'] || join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kuik');
  return join(kuik, 'tools');
}

function platform(): string {
  return `${process.platform}-${process.arch}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What the program says of itself, in one line; undefined if it does not run, or is another program of that name. */
async function versionOf(program: Program, path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, program.versionArguments, { timeout: 10_000 });
    return program.versionLooksLike.test(stdout) ? (stdout.split('\n')[0] ?? '').trim() : undefined;
  } catch {
    return undefined;
  }
}
