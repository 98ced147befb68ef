import type { Writable } from 'node:stream';

export type Screen = Writable & { readonly columns?: number; readonly rows?: number };

/** Lines drawn again and again in the same place of a terminal. */
export class Redraw {
  readonly #stream: Screen;
  #drawn = 0;

  constructor(stream: Screen) {
    this.#stream = stream;
  }

  draw(lines: readonly string[]): void {
    this.#stream.write(this.#erase() + lines.map((line) => `${line}\n`).join('')); // one write, or it flickers
    this.#drawn = lines.length;
  }

  /** A line that stays, above what is drawn. */
  say(line: string): void {
    this.#stream.write(`${this.#erase()}${line}\n`);
  }

  clear(): void {
    this.#stream.write(this.#erase());
  }

  /** Up over what was drawn, and clear from there to the end. */
  #erase(): string {
    const up = this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A\x1b[J`;
    this.#drawn = 0;
    return up;
  }
}
