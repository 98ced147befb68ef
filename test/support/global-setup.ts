/**
 * Runs once before tests on real servers: brings `dist` up to date, since they start the built program, and then
 * runs the steps below from there. (jest loads this file outside its module system, so it can import no other
 * TypeScript; the compiled steps can.)
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const steps = [
  'dist/tools/build.js', // the real servers
  'dist/test/support/bundle.js', // the workflows, once for all test files
];

// eslint-disable-next-line no-restricted-exports -- jest asks for a default export
export default function globalSetup(_global: unknown, { rootDir }: { readonly rootDir: string }): void {
  if (isStale(rootDir)) compile(rootDir);
  for (const step of steps) {
    if (!runNode(rootDir, [step])) throw new Error(`${step} failed (see above); without it no test on real servers can run`);
  }
  process.env['KUIK_PORTS'] = mkdtempSync(join(tmpdir(), 'kuik-ports-')); // tools/ports.ts in every worker and what it starts; removed by global-teardown.ts
}

/** Wrong types are the business of `npm run types`: the compiler writes all the same, so tests can run. */
function compile(rootDir: string): void {
  console.error('compiling src, tools and test/support into dist ...');
  if (!runNode(rootDir, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'])) console.error('the compiler complains (see above); testing what it wrote');
}

function runNode(rootDir: string, args: readonly string[]): boolean {
  const env = { ...process.env, NODE_OPTIONS: '' }; // ours are for jest
  const { status } = spawnSync(process.execPath, args, { cwd: rootDir, env, stdio: ['ignore', 2, 2] });
  return status === 0;
}

/** Whether a source is newer than what the compiler last wrote down. */
function isStale(rootDir: string): boolean {
  const built = modifiedAt(join(rootDir, 'dist', '.tsbuildinfo'));
  return ['src', 'tools', 'bench', 'test/support'].some((folder) => sourcesOf(join(rootDir, folder)).some((file) => modifiedAt(file) >= built));
}

function sourcesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function modifiedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
