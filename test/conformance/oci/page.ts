/** `docs/reference/registries.md`: what real registries do, from the table that they are tested with. */
import { crane, distribution28, distribution3, type Deviations } from './registries.js';
import type { Rule } from './rule.js';
import { categories } from './rules.js';

const columns: Readonly<Record<string, Deviations>> = { 'distribution 2.8': distribution28, 'distribution 3': distribution3, 'crane, in memory': crane };

export const registriesPath = 'docs/reference/registries.md';

export function registriesPage(): string {
  const sections = Object.entries(categories).map(([category, rules]) => `## ${category}\n\n${table(rules)}`);
  return `${[intro, ...sections].join('\n\n')}\n`;
}

const intro = `<!-- Generated from test/conformance/oci; do not edit. -->

# What registries do

Measured, not quoted: each row is a test that speaks raw HTTP to a CNCF distribution registry 2.8 (Debian's \`docker-registry\`), one of 3.x, and the registry in memory of \`crane registry serve\`. A registry that begins, or ceases, to deviate fails its test, so this page is as true as the last run. Where distribution 2.8 is not installed its column is not run, and the test says so. Registries that cannot be had where the tests run, zot and the hosted ones among them, are not here.

Rows are named by the endpoints of the [OCI distribution specification 1.1](https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#endpoints). **Bold** answers differ from the first column; where the specification leaves that free, the row says so. \`there\` and \`gone\` are asked for afterwards.`;

function table(rules: readonly Rule[]): string {
  const head = ['', 'Asked', 'Specification', ...Object.keys(columns)];
  const rows = rules.map((rule) => [rule.end, rule.asks, rule.leeway === undefined ? rule.answer : `${rule.answer} (${rule.leeway})`, ...Object.values(columns).map((deviations) => cell(rule, deviations))]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cell({ asks, answer }: Rule, deviations: Deviations): string {
  const deviation = deviations[asks];
  return deviation === undefined ? answer : `**${deviation}**`;
}
