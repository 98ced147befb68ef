/**
 * Bundles the workflows into one file, once, at build time: bundling in the process costs a second and a hundred
 * megabytes. It also proves that the domain is pure, because a Node built-in fails it.
 *
 *     node dist/src/temporal/bundle.js dist/workflows.bundle.js
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/** The compiled list of workflows beside this file. */
export const workflowsPath = fileURLToPath(new URL('../workflows/index.js', import.meta.url));

/** @param file where the bundle goes; written whole, or not at all */
export async function bundleWorkflows(file: string): Promise<void> {
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, code);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , file = 'dist/workflows.bundle.js'] = process.argv;
  await bundleWorkflows(file);
}
