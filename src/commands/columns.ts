/**
 * Columns as wide as their widest cell, three blanks between, as kubectl prints them.
 *
 * @param rows the first one holds the headings
 * @returns lines, each with its end
 */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
  return rows.map((row) => `${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('   ').trimEnd()}\n`).join('');
}
