import type { Writable } from 'node:stream';
import { widthOf } from './text-width.js';

export type Screen = Writable & { readonly columns?: number; readonly rows?: number };

const usual = { columns: 80, rows: 24 };

/** How much room there is; a terminal that does not know its size says 0. */
export function sizeOf({ columns, rows }: Pick<Screen, 'columns' | 'rows'>): { readonly columns: number; readonly rows: number } {
  return { columns: columns || usual.columns, rows: rows || usual.rows };
}

/** Lines drawn again and again in the same place of a terminal. */
export class Redraw {
  readonly #stream: Screen;
  #drawn: readonly string[] = [];

  constructor(stream: Screen) {
    this.#stream = stream;
  }

  draw(lines: readonly string[]): void {
    this.#stream.write(this.#erase() + lines.map((line) => `${line}\n`).join('')); // one write, or it flickers
    this.#drawn = lines;
  }

  /** A line that stays, above what is drawn. */
  say(line: string): void {
    this.#stream.write(`${this.#erase()}${line}\n`);
  }

  clear(): void {
    this.#stream.write(this.#erase());
  }

  /**
   * To the start of the line, since Ctrl-C leaves its mark there; up over what was drawn, and clear from there to the
   * end. A terminal that has become narrower has broken lines that were as wide as it was.
   */
  #erase(): string {
    const { columns } = sizeOf(this.#stream);
    let up = 0;
    for (const line of this.#drawn) up += Math.max(1, Math.ceil(widthOf(line) / columns));
    this.#drawn = [];
    return up === 0 ? '' : `\r\x1b[${up}A\x1b[J`;
  }
}
