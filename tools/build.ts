/**
 * Makes sure that the programs are there: `node dist/tools/build.js [program...]`, all of them unless named.
 * What is found on the PATH, or was built before, is only mentioned.
 */
import { prepareTools } from './prepare.js';
import { programNamed, programs } from './programs.js';

const names = process.argv.slice(2);

try {
  await prepareTools(names.length === 0 ? programs : names.map(programNamed), (line) => console.error(line));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
