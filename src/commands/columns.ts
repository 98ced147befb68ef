import { padded, printable, widthOf } from './text-width.js';

/**
 * Columns as wide as their widest cell, three blanks between, as kubectl prints them.
 *
 * @param rows the first one holds the headings
 * @returns lines, each with its end
 */
export function columns(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of shown) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, widthOf(cell))));
  return shown.map((row) => `${row.map((cell, at) => padded(cell, widths[at] ?? 0)).join('   ').trimEnd()}\n`).join('');
}
