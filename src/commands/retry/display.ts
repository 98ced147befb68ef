import { Redraw, sizeOf, type Screen } from '../redraw.js';
import { fitting } from '../text-width.js';
import { sumText, type Results } from './report.js';

/** Shows how copies and checks stand until it is closed: a list on a terminal, elsewhere a line every ten seconds. */
export interface ResultsDisplay {
  /** something changed */
  show(results: Results): void;
  close(): void;
}

const lineEveryMs = 10_000;
const mostLines = 20;

export function openResultsDisplay(stream: Screen, form: 'list' | 'lines'): ResultsDisplay {
  return form === 'list' ? listDisplay(stream) : linesDisplay(stream);
}

const nothing: Results = { copies: [], checks: [] };

function listDisplay(stream: Screen): ResultsDisplay {
  const screen = new Redraw(stream);
  let last: Results = nothing;
  const draw = (): void => screen.draw(frameOf(last, stream));
  stream.on('resize', draw); // the frame is as wide as the terminal was
  return {
    show: (results) => {
      last = results;
      draw();
    },
    close: () => {
      stream.off('resize', draw);
      screen.clear();
    },
  };
}

function linesDisplay(stream: Screen): ResultsDisplay {
  let last: Results = nothing;
  const timer = setInterval(() => stream.write(`${sumText(last)}\n`), lineEveryMs);
  return {
    show: (results) => void (last = results),
    close: () => clearInterval(timer),
  };
}

/** What is not over comes first: that is what people wait for. No line is wider than the terminal, or erasing would go wrong. */
export function frameOf(results: Results, screen: Pick<Screen, 'columns' | 'rows'>): readonly string[] {
  const { columns, rows } = sizeOf(screen);
  const most = Math.max(1, Math.min(mostLines, rows - 3));
  const ordered = linesOf(results).sort((one, other) => one.rank - other.rank);
  const shown = ordered.slice(0, most).map(({ text }) => text);
  const hidden = ordered.length - shown.length;
  return [...shown, ...(hidden > 0 ? [`... and ${hidden} more`] : []), sumText(results)].map((line) => fitting(line, columns - 1));
}

interface Line {
  readonly rank: number;
  readonly text: string;
}

function linesOf({ copies, checks }: Results): Line[] {
  return [
    ...copies.map(({ result, destination, failure }) => ({ rank: ranks[result], text: `${result.padEnd(8)} ${destination}${failure === undefined ? '' : `   ${failure.code}: ${failure.message}`}` })),
    ...checks.map(({ result, image, state, message }) => ({ rank: ranks[result], text: `${result.padEnd(11)} ${image}${result === 'unavailable' ? `   ${state}: ${message ?? ''}` : ''}` })),
  ];
}

const ranks = { waiting: 0, asked: 1, failed: 2, unavailable: 2, unwanted: 3, untracked: 3, copied: 4, available: 4 } as const satisfies Record<Results['copies' | 'checks'][number]['result'], number>;
