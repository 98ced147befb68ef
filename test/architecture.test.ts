import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';

/**
 * Who may import whom, as data. Imports of types are free; a line missing here is added with the first import,
 * and the decision recorded in docs/adr when it changes the shape.
 */
const allowed: Record<string, { folders: readonly string[]; packages: readonly string[] }> = {
  domain: { folders: [], packages: [] },
  views: { folders: ['domain'], packages: [] },
  workflows: { folders: ['domain', 'temporal/contract', 'temporal/failures'], packages: ['@temporalio/workflow'] },
  // the reference pages are generated in one place, that of the configuration included
  api: { folders: ['domain', 'config/reference'], packages: ['zod', 'yaml', 're2js', 'node:fs', 'node:path', 'node:url', 'node:crypto'] },
  config: { folders: ['domain', 'api/pattern'], packages: ['zod', 'yaml', 'node:fs', 'node:path', 'node:net'] },
  telemetry: { folders: ['domain'], packages: ['pino', 'prom-client', 'node:http', 'node:https', 'node:perf_hooks', 'node:worker_threads'] },
  registry: {
    folders: ['domain'],
    packages: ['undici', 'zod', 'lru-cache', 'node:crypto', 'node:net', 'node:dns', 'node:tls', 'node:stream', 'node:buffer', 'node:timers/promises'],
  },
  cluster: {
    folders: ['domain', 'api'],
    packages: ['@kubernetes/client-node', 'node:crypto', 'node:timers/promises', 'node:https', 'node:http', 'node:net', 'node:tls', 'node:stream', 'node:readline', 'node:string_decoder', 'node:fs', 'node:path'],
  },
  activities: { folders: ['domain'], packages: ['@temporalio/activity'] },
  temporal: {
    folders: ['domain'],
    packages: ['@temporalio/client', '@temporalio/worker', '@temporalio/common', 'protobufjs', 'node:crypto', 'node:fs', 'node:path', 'node:url', 'node:timers/promises'],
  },
  webhook: {
    folders: ['domain', 'views'],
    packages: ['fastify', '@peculiar/x509', 'reflect-metadata', 'lru-cache', 'node:crypto', 'node:tls', 'node:https', 'node:timers/promises'],
  },
  watchers: { folders: ['domain', 'views', 'api'], packages: ['node:timers/promises', 'node:util'] },
};

/** Files that read the wall clock, the console or the environment on purpose: composition roots and adapters. */
const mayReadClock = ['commands/', 'registry/http/', 'cluster/kubernetes/', 'temporal/', 'webhook/system-clock', 'telemetry/', 'activities/', 'workflows/', 'main.ts'];
const mayPrint = ['commands/', 'main.ts', 'api/generate'];
const mayReadEnvironment = ['config/', 'main.ts'];

const root = join(import.meta.dirname, '..', 'src');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.split(sep).join('/'));

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
}

/** Modules a file imports as values, or also those it takes types from. */
function imports(source: ts.SourceFile, types: 'types-too' | 'values' = 'values'): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier) && (types === 'types-too' || !node.importClause?.isTypeOnly)) found.push(node.moduleSpecifier.text);
    if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier) && !node.isTypeOnly) found.push(node.moduleSpecifier.text);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword && node.arguments[0] && ts.isStringLiteral(node.arguments[0])) found.push(node.arguments[0].text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function violations(file: string): string[] {
  const folder = file.split('/')[0] ?? '';
  const rules = allowed[folder];
  if (rules === undefined) return []; // commands and main.ts may import everything
  return imports(parse(file)).filter((specifier) => {
    if (!specifier.startsWith('.')) return !rules.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
    const target = normalize(join(dirname(file), specifier)).split(sep).join('/').replace(/\.js$/, '');
    return !target.startsWith(`${folder}/`) && !rules.folders.some((allowedFolder) => target === allowedFolder || target.startsWith(`${allowedFolder}/`));
  });
}

/** All modules that a file loads before it runs: those of its imports' imports too, but not what is imported when needed. */
function loadedBy(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const statement of parse(file).statements) {
    const specifier = ts.isImportDeclaration(statement) && !statement.importClause?.isTypeOnly ? statement.moduleSpecifier : ts.isExportDeclaration(statement) && !statement.isTypeOnly ? statement.moduleSpecifier : undefined;
    if (specifier === undefined || !ts.isStringLiteral(specifier)) continue;
    if (specifier.text.startsWith('.')) loadedBy(normalize(join(dirname(file), specifier.text)).split(sep).join('/').replace(/\.js$/, '.ts'), seen);
    else seen.add(specifier.text);
  }
  return seen;
}

/** Expressions of a kind, comments and strings left out. */
function uses(file: string, isUse: (node: ts.Node) => boolean): string[] {
  const source = parse(file);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isUse(node)) found.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${node.getText().slice(0, 60)}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const isAllowed = (file: string, list: readonly string[]): boolean => list.some((prefix) => file.startsWith(prefix));
const isMember = (node: ts.Node, object: string, member?: string): boolean =>
  ts.isPropertyAccessExpression(node) && node.expression.getText() === object && (member === undefined || node.name.text === member);

describe('the architecture holds', () => {
  test.each(files)('%s imports only what its folder may', (file) => {
    expect(violations(file)).toEqual([]);
  });

  test('the domain takes not even a type from elsewhere', () => {
    const leaving = (file: string): string[] => imports(parse(file), 'types-too').filter((specifier) => !specifier.startsWith('./'));
    expect(files.filter((file) => file.startsWith('domain/')).flatMap((file) => leaving(file).map((specifier) => `${file}: ${specifier}`))).toEqual([]);
  });

  test('only config reads the environment', () => {
    const found = files.filter((file) => !isAllowed(file, mayReadEnvironment)).flatMap((file) => uses(file, (node) => isMember(node, 'process', 'env')));
    expect(found).toEqual([]);
  });

  test('only commands print', () => {
    const found = files.filter((file) => !isAllowed(file, mayPrint)).flatMap((file) => uses(file, (node) => isMember(node, 'console')));
    expect(found).toEqual([]);
  });

  test('the wall clock is an argument, except in composition roots and adapters', () => {
    const readsClock = (node: ts.Node): boolean => isMember(node, 'Date', 'now') || (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length);
    const found = files.filter((file) => !isAllowed(file, mayReadClock)).flatMap((file) => uses(file, (node) => ts.isCallExpression(node) ? readsClock(node.expression) : readsClock(node) && ts.isNewExpression(node)));
    expect(found).toEqual([]);
  });

  test('no regular expression is built from a variable: patterns of users go through re2js', () => {
    const isDynamic = (node: ts.Node): boolean => {
      if (!ts.isNewExpression(node) || node.expression.getText() !== 'RegExp') return false;
      const pattern = node.arguments?.[0];
      if (pattern === undefined || ts.isStringLiteralLike(pattern)) return false;
      // a template over constants of the same file, spelled out at its top, is a literal with names
      return !(ts.isTemplateExpression(pattern) && pattern.templateSpans.every((span) => ts.isIdentifier(span.expression) && isTopLevelText(node.getSourceFile(), span.expression.text)));
    };
    expect(files.flatMap((file) => uses(file, isDynamic))).toEqual([]);
  });
});

describe('what a command loads at its start', () => {
  const packagesOf = (file: string): readonly string[] => [...loadedBy(file)].filter((name) => !name.endsWith('.ts') && !name.startsWith('node:')).sort();

  test('kuik version, and the list of commands: no package at all', () => {
    expect(packagesOf('main.ts')).toEqual([]);
    expect(packagesOf('commands/version.ts')).toEqual([]);
  });

  test('kuik copy: no schemas of the configuration, no cluster, and of undici only what sends requests', () => {
    expect(packagesOf('commands/copy/run.ts')).toEqual([
      'commander',
      'lru-cache',
      'undici/lib/api/api-connect.js',
      'undici/lib/api/api-request.js',
      'undici/lib/core/connect.js',
      'undici/lib/dispatcher/dispatcher.js',
      'undici/lib/dispatcher/pool.js',
      'undici/lib/dispatcher/proxy-agent.js',
      'zod',
    ]);
    expect([...loadedBy('commands/copy/run.ts')].filter((name) => name.startsWith('config/'))).toEqual(['config/docker.ts', 'config/environment.ts', 'config/read-file.ts', 'config/terminal.ts']);
  });
});

function isTopLevelText(source: ts.SourceFile, name: string): boolean {
  return source.statements.some(
    (statement) =>
      ts.isVariableStatement(statement) &&
      statement.declarationList.declarations.some(
        (declaration) => declaration.name.getText() === name && declaration.initializer !== undefined && (ts.isStringLiteralLike(declaration.initializer) || ts.isTemplateExpression(declaration.initializer)),
      ),
  );
}
