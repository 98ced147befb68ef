/** `npm run generate`: writes the files that are made from schemas. `test/generated.test.ts` compares them. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from './generated-files.js';

/** Reads the examples, by file name. */
export function readExamples(root: string): Readonly<Record<string, string>> {
  const folder = join(root, 'examples');
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** Of the package. */
export function readVersion(root: string): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

function generate(root: string): void {
  for (const [path, text] of Object.entries(generatedFiles(readExamples(root), readVersion(root)))) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(path);
  }
}

// dist/src/api/generate.js, three folders below the root
if (process.argv[1] === fileURLToPath(import.meta.url)) generate(join(import.meta.dirname, '..', '..', '..'));
