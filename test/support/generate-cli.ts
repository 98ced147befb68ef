/** Writes the page of the command line, and the schemas of what it prints as data. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliPage, cliPath } from '../../src/commands/cli-page.js';
import { fieldLines, fieldsPath, schemaFiles, schemaFolder } from '../../src/commands/documents/all.js';
import { projectRoot } from '../../tools/programs.js';

const at = (path: string): string => join(projectRoot(), path);

writeFileSync(at(cliPath), await cliPage());
mkdirSync(at(schemaFolder), { recursive: true });
for (const [path, text] of Object.entries(schemaFiles())) writeFileSync(at(path), text);
// what was promised stays in the list, so that the test misses it
const promised = existsSync(at(fieldsPath)) ? readFileSync(at(fieldsPath), 'utf8').split('\n').filter((line) => line !== '') : [];
writeFileSync(at(fieldsPath), `${[...new Set([...promised, ...fieldLines()])].sort().join('\n')}\n`);
