/**
 * Makes sure that the programs are there: `node dist/tools/build.js [program...]`. Unless named they are those that
 * tests need; `cluster` stands for those of a cluster in which Pods run.
 * What is found on the PATH, or was built before, is only mentioned.
 */
import { prepareTools } from './prepare.js';
import { clusterPrograms, programNamed, usualPrograms } from './programs.js';
import type { Program } from './programs.js';

const names = process.argv.slice(2);

try {
  await prepareTools(names.length === 0 ? usualPrograms : names.flatMap(meant), (line) => console.error(line));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function meant(name: string): readonly Program[] {
  return name === 'cluster' ? clusterPrograms : [programNamed(name)];
}
