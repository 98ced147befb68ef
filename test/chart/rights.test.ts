import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from '@jest/globals';
import ts from 'typescript';
import { asksFor, calls } from '../../src/commands/rights.js';

const src = join(import.meta.dirname, '..', '..', 'src');

/** Beginning with its own file: every file that a half of kuik loads, without the client itself and the command line. */
const halves = { manager: 'commands/serve/manager.ts', webhook: 'commands/serve/webhook.ts' } as const;

test.each(['manager', 'webhook'] as const)('the methods that the table says the %s calls are those its files call', (process) => {
  const found = new Set([...filesOf(halves[process])].flatMap((file) => calledIn(file)));

  expect([...found].sort()).toEqual([...calls[process]].sort());
});

/** Those of `serve.ts` are of both. */
function filesOf(first: string): ReadonlySet<string> {
  return new Set(['commands/serve.ts', 'watchers/watch.ts', 'watchers/watch-log.ts', ...loads(first)]);
}

function loads(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file) || file.startsWith('cluster/')) return seen;
  seen.add(file);
  for (const statement of parse(file).statements) {
    if (!ts.isImportDeclaration(statement) || statement.importClause?.isTypeOnly || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const name = statement.moduleSpecifier.text;
    if (name.startsWith('.')) loads(normalize(join(dirname(file), name)).replace(/\.js$/, '.ts'), seen);
  }
  return seen;
}

/** Calls of `cluster.x(...)`, whatever the path to `cluster`. */
function calledIn(file: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { expression: object, name } = node.expression;
      if (/(?:^|[.#])cluster$/.test(object.getText()) && Object.hasOwn(asksFor, name.text)) found.push(name.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(file));
  return found;
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(src, file), 'utf8'), ts.ScriptTarget.Latest, true);
}
