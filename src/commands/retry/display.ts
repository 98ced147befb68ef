import { Redraw, type Screen } from '../redraw.js';
import type { Copy } from './follow.js';
import { sumText } from './report.js';

/** Shows how copies stand until it is closed: a list on a terminal, elsewhere a line every ten seconds. */
export interface CopiesDisplay {
  /** something changed */
  show(copies: readonly Copy[]): void;
  close(): void;
}

const lineEveryMs = 10_000;
const mostLines = 20;
const usualColumns = 80;

export function openCopiesDisplay(stream: Screen, form: 'list' | 'lines'): CopiesDisplay {
  return form === 'list' ? listDisplay(stream) : linesDisplay(stream);
}

function listDisplay(stream: Screen): CopiesDisplay {
  const screen = new Redraw(stream);
  return {
    show: (copies) => screen.draw(frameOf(copies, stream)),
    close: () => screen.clear(),
  };
}

function linesDisplay(stream: Screen): CopiesDisplay {
  let last: readonly Copy[] = [];
  const timer = setInterval(() => stream.write(`${sumText(last)}\n`), lineEveryMs);
  return {
    show: (copies) => void (last = copies),
    close: () => clearInterval(timer),
  };
}

/** What is not over comes first: that is what people wait for. No line is wider than the terminal, or erasing would go wrong. */
export function frameOf(copies: readonly Copy[], { columns = 0, rows = 0 }: Pick<Screen, 'columns' | 'rows'>): readonly string[] {
  const most = Math.max(1, Math.min(mostLines, (rows || mostLines + 2) - 2));
  const ordered = [...copies].sort((one, other) => rank(one) - rank(other));
  const shown = ordered.slice(0, most).map(({ result, destination, failure }) => `${result.padEnd(8)} ${destination}${failure === undefined ? '' : `   ${failure.code}: ${failure.message}`}`);
  const hidden = copies.length - shown.length;
  return [...shown, ...(hidden > 0 ? [`... and ${hidden} more`] : []), sumText(copies)].map((line) => line.slice(0, Math.max(1, (columns || usualColumns) - 1)));
}

const ranks = { waiting: 0, asked: 1, failed: 2, unwanted: 3, copied: 4 } as const satisfies Record<Copy['result'], number>;

function rank({ result }: Copy): number {
  return ranks[result];
}
