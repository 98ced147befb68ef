/** The reference page of one kind, from the same schemas as its CRD. */
import { apiVersion } from '../domain/names.js';
import { schemasOf } from './crd.js';
import { code, table } from './markdown.js';
import { exampleText, type Structural } from './structural.js';
import type { Kind } from './v1alpha1/kind.js';

/**
 * @param examples texts of the files in `examples/`, by name
 * @returns Markdown
 */
export function referencePage(kind: Kind, examples: Readonly<Record<string, string>>): string {
  const { spec, status } = schemasOf(kind);
  return [
    `# ${kind.kind}`,
    kind.description,
    identity(kind),
    ...kind.examples.map((file) => exampleSection(file, examples[file] ?? '')),
    '## Spec',
    fieldTable(spec, 'spec'),
    ...validationSection(spec),
    '## Status',
    `Written by kuik; before the first look \`observedGeneration\` is -1.`,
    fieldTable(status, 'status'),
    '## Columns',
    table(['Column', 'Shows', 'Path'], kind.columns.map(({ name, description, jsonPath, isWide }) => [name.toUpperCase() + (isWide ? ' (`-o wide`)' : ''), description, code(jsonPath)])),
  ].join('\n\n');
}

function identity({ kind, plural, shortName, scope, categories }: Kind): string {
  return table(
    ['API version', 'Kind', 'Plural', 'Short name', 'Scope', 'Category'],
    [[code(apiVersion), code(kind), code(plural), code(shortName), scope, categories.map(code).join(', ') || 'none']],
  );
}

function exampleSection(file: string, text: string): string {
  return `\`examples/${file}\`:\n\n\`\`\`yaml\n${text.trim()}\n\`\`\``;
}

function fieldTable(schema: Structural, path: string): string {
  return table(['Field', 'Type', 'Meaning', 'Example'], fieldRows(schema, path));
}

function fieldRows(schema: Structural, path: string): string[][] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const at = `${path}.${name}${property.type === 'array' ? '[]' : ''}`;
    const shape = property.type === 'array' ? (property.items ?? {}) : property;
    const isLeaf = shape.properties === undefined;
    const row = [code(at), typeText(property) + (required.has(name) ? ', required' : ''), property.description ?? '', isLeaf ? code(exampleText(property.example)) : ''];
    return [row, ...fieldRows(shape, at)];
  });
}

function typeText(schema: Structural): string {
  if (schema.type === 'array') return `list${schema.maxItems === undefined ? '' : ` of at most ${schema.maxItems}`}: ${typeText(schema.items ?? {})}`;
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ');
  if (schema.format === 'date-time') return 'time';
  if (schema.type === 'string') return schema.maxLength === undefined ? 'text' : `text, at most ${schema.maxLength}`;
  return schema.type ?? '';
}

function validationSection(spec: Structural): readonly string[] {
  const rows = validationRows(spec, 'spec');
  return rows.length === 0 ? [] : ['## Validation', 'The API server refuses an object unless:', table(['Field', 'Rule', 'Expression'], rows)];
}

function validationRows(schema: Structural, path: string): string[][] {
  const own = (schema['x-kubernetes-validations'] ?? []).map(({ rule, message }) => [code(path), message, code(rule)]);
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => validationRows(property, `${path}.${name}`));
  return [...own, ...below, ...(schema.items ? validationRows(schema.items, `${path}[]`) : [])];
}
