/** `values.yaml`: every value with its default, and above it what it means. */
import { stringify } from 'yaml';
import { nodeOf, type Node } from './schema-file.js';
import { ChartValues } from './values.js';

export function valuesFile(): string {
  return `# Generated from src/config/chart by npm run generate; do not edit. Write your own values into a file of your own.\n${linesOf(nodeOf(ChartValues), '').join('\n')}\n`;
}

function linesOf({ properties = {} }: Node, indent: string): string[] {
  return Object.entries(properties).flatMap(([key, node]) => valueLines(key, node, indent));
}

function valueLines(key: string, node: Node, indent: string): string[] {
  const comment = node.description === undefined ? [] : [`${indent}# ${node.description}`];
  if (node.properties !== undefined) return [...comment, `${indent}${key}:`, ...linesOf(node, `${indent}  `)];
  // what is inherited is left out: to write it down would be to set it
  if (node.default === undefined) return [`${indent}# ${key}: ${node.description?.replace(/^Default: /, '') ?? ''}`];
  return [...comment, ...stringify({ [key]: node.default }, { lineWidth: 0 }).trimEnd().split('\n').map((line) => indent + line)];
}
