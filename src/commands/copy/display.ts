import { drawBars, sumLine } from './frame.js';
import { sumUp, type ProgressBoard } from './progress.js';
import { Redraw, sizeOf, type Screen as Terminal } from '../redraw.js';
import { Rate } from './rate.js';

/** Shows progress until it is closed. */
export interface Display {
  /** A message, between what is drawn. */
  say(line: string): void;
  close(): void;
}

export interface Screen {
  readonly stream: Terminal;
  /** `bars` are drawn again and again in the same place; `lines` are printed one after the other */
  readonly form: 'bars' | 'lines';
}

const drawEveryMs = 100;
const lineEveryMs = 10_000;

/** Bars on a terminal; elsewhere a line every ten seconds. */
export function openDisplay(board: ProgressBoard, screen: Screen): Display {
  return screen.form === 'bars' ? new Bars(board, screen) : new Lines(board, screen);
}

class Lines implements Display {
  readonly #timer: NodeJS.Timeout;
  readonly #rate = new Rate();

  constructor(private readonly board: ProgressBoard, private readonly screen: Screen) {
    this.#timer = setInterval(() => this.#print(), lineEveryMs);
    this.#rate.sample(0, performance.now());
  }

  say(line: string): void {
    this.screen.stream.write(`${line}\n`);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #print(): void {
    const totals = sumUp(this.board.images);
    this.#rate.sample(totals.bytesDone, performance.now());
    this.say(`copying: ${sumLine(totals, { perSecond: this.#rate.perSecond() })}`);
  }
}

class Bars implements Display {
  readonly #timer: NodeJS.Timeout;
  readonly #rate = new Rate();
  readonly #redraw: Redraw;

  constructor(private readonly board: ProgressBoard, private readonly screen: Screen) {
    this.#redraw = new Redraw(screen.stream);
    this.#timer = setInterval(() => this.#draw(), drawEveryMs);
    this.#rate.sample(0, performance.now());
  }

  say(line: string): void {
    this.#redraw.say(line);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#redraw.clear();
  }

  #draw(): void {
    const images = this.board.images;
    const totals = sumUp(images);
    this.#rate.sample(totals.bytesDone, performance.now());
    this.#redraw.draw(drawBars(images, totals, { perSecond: this.#rate.perSecond() }, sizeOf(this.screen.stream)));
  }
}
