import { Redraw, sizeOf, type Screen } from '../redraw.js';
import { fitting } from '../text-width.js';
import { sumText, type Results } from './report.js';

/** Shows how copies and checks stand until it is closed: a list on a terminal, elsewhere a line every ten seconds. */
export interface ResultsDisplay {
  /** something is different, which is seen a moment later: thousands change in one */
  changed(): void;
  /** A line that stays, above the list. */
  say(line: string): void;
  close(): void;
}

const drawEveryMs = 200;
const lineEveryMs = 10_000;
const mostLines = 20;

/** @param read how everything stands: asked only when it is shown */
export function openResultsDisplay(stream: Screen, form: 'list' | 'lines', read: () => Results): ResultsDisplay {
  return form === 'list' ? listDisplay(stream, read) : linesDisplay(stream, read);
}

function listDisplay(stream: Screen, read: () => Results): ResultsDisplay {
  const screen = new Redraw(stream);
  let soon: NodeJS.Timeout | undefined;
  const draw = (): void => {
    soon = undefined;
    screen.draw(frameOf(read(), stream));
  };
  stream.on('resize', draw); // the frame is as wide as the terminal was
  draw();
  return {
    changed: () => void (soon ??= setTimeout(draw, drawEveryMs)),
    say: (line) => {
      screen.say(line);
      draw();
    },
    close: () => {
      clearTimeout(soon);
      stream.off('resize', draw);
      screen.clear();
    },
  };
}

function linesDisplay(stream: Screen, read: () => Results): ResultsDisplay {
  const timer = setInterval(() => stream.write(`${sumText(read())}\n`), lineEveryMs);
  return {
    changed: () => undefined,
    say: (line) => void stream.write(`${line}\n`),
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
    ...copies.map(({ result, destination, failure, message }) => ({ rank: ranks[result], text: `${result.padEnd(8)} ${destination}${whyText({ failure, message })}` })),
    ...checks.map(({ result, image, state, message }) => ({ rank: ranks[result], text: `${result.padEnd(11)} ${image}${result === 'unavailable' ? `   ${state}: ${message ?? ''}` : whyText({ message })}` })),
  ];
}

function whyText({ failure, message }: Pick<Results['copies'][number], 'failure' | 'message'>): string {
  if (failure !== undefined) return `   ${failure.code}: ${failure.message}`;
  return message === undefined ? '' : `   ${message}`;
}

const ranks = { waiting: 0, asked: 1, failed: 2, unavailable: 2, refused: 2, unwanted: 3, untracked: 3, copied: 4, available: 4 } as const satisfies Record<Results['copies' | 'checks'][number]['result'], number>;
