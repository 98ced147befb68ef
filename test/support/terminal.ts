/** What a person sees: programs run on a real pseudo-terminal, whose bytes are drawn on a screen as terminals draw them. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../tools/programs.js';

/** Node has no pseudo-terminals; Python has. */
export const hasTerminals = spawnSync('python3', ['-c', 'import os, pty, termios; os.waitstatus_to_exitcode']).status === 0;

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface EndedOnTerminal {
  readonly code: number;
  /** echo, line mode and all the rest are as they were */
  readonly isAsBefore: boolean;
}

export interface OnTerminal {
  readonly screen: ScreenOf;
  /** everything that was written, as it was */
  readonly written: () => string;
  readonly type: (text: string) => void;
  readonly resize: (size: Size) => void;
  readonly ended: Promise<EndedOnTerminal>;
  readonly kill: () => void;
}

/** `kuik` on a terminal of that size. */
export function kuikOnTerminal(size: Size, args: readonly string[], env: Readonly<Record<string, string>> = {}): OnTerminal {
  const screen = new ScreenOf(size);
  const python = spawn('python3', [join(projectRoot(), 'test/support/on-terminal.py'), String(size.columns), String(size.rows), join(projectRoot(), 'bin/kuik'), ...args], {
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '', TERM: 'xterm-256color', ...env },
  });
  let [written, said] = ['', ''];
  python.stdout.setEncoding('utf8').on('data', (text: string) => {
    written += text;
    screen.write(text);
  });
  python.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const tell = (deed: object): void => void python.stdin.write(`${JSON.stringify(deed)}\n`);
  return {
    screen,
    written: () => written,
    type: (text) => tell({ type: text }),
    resize: ({ columns, rows }) => tell({ size: [columns, rows] }),
    ended: new Promise((resolve, reject) => {
      python.once('error', reject).once('close', () => {
        const last = said.trim().split('\n').at(-1) ?? '';
        if (last.startsWith('{')) resolve(JSON.parse(last) as EndedOnTerminal);
        else reject(new Error(said));
      });
    }),
    kill: () => void python.kill('SIGKILL'),
  };
}

interface Row {
  text: string;
  /** goes on in the next row: it was too long */
  isBroken: boolean;
}

const blank = (): Row => ({ text: '', isBroken: false });

/** A terminal as far as our programs use it; lines are broken anew when it becomes wider or narrower, as most do. */
export class ScreenOf {
  #size: Size;
  #rows: Row[] = [blank()];
  #at = { row: 0, column: 0 };
  /** first row that can be seen: what is above has scrolled away, and nothing moves there again */
  #top = 0;
  #pending = '';

  constructor(size: Size) {
    this.#size = size;
  }

  /** What can be scrolled through, from the start. */
  get text(): string {
    return this.lines.join('\n');
  }

  get size(): Size {
    return this.#size;
  }

  get lines(): readonly string[] {
    return this.#from(0);
  }

  /** Without what has scrolled away. */
  get visible(): readonly string[] {
    return this.#from(this.#top);
  }

  #from(first: number): readonly string[] {
    const rows = this.#rows.slice(first).map(({ text }) => text.trimEnd());
    while (rows.at(-1) === '') rows.pop();
    return rows;
  }

  write(text: string): void {
    const all = this.#pending + text;
    // eslint-disable-next-line no-control-regex -- what terminals are told
    const [, whole = '', rest = ''] = /^([^]*?)(\x1b(?:\[[\d;?]*)?)?$/.exec(all) ?? [];
    this.#pending = rest;
    // eslint-disable-next-line no-control-regex -- the same
    for (const [token, count, order] of whole.matchAll(/\x1b\[([\d;?]*)([A-Za-z])|[^]/g)) {
      if (order !== undefined) this.#obey(order, count ?? '');
      else this.#put(token);
    }
  }

  /** Breaks every line anew. */
  #resize(size: Size): void {
    const logical: string[] = [];
    let [cursorLine, cursorAt, open] = [0, 0, false];
    this.#rows.forEach(({ text, isBroken }, row) => {
      const before = open ? (logical.pop() ?? '') : '';
      logical.push(before + text);
      if (row === this.#at.row) [cursorLine, cursorAt] = [logical.length - 1, before.length + this.#at.column];
      open = isBroken;
    });
    this.#size = size;
    this.#rows = logical.flatMap((line) => broken(line, size.columns));
    const above = logical.slice(0, cursorLine).reduce((sum, line) => sum + broken(line, size.columns).length, 0);
    this.#at = { row: above + Math.floor(cursorAt / size.columns), column: cursorAt % size.columns };
    this.#top = Math.max(0, this.#at.row - size.rows + 1);
  }

  #obey(order: string, count: string): void {
    const number = Number(count || '1');
    if (order === 't') {
      const [, rows = 0, columns = 0] = count.split(';').map(Number);
      this.#resize({ columns, rows });
    } else if (order === 'A') this.#at.row = Math.max(this.#top, this.#at.row - number);
    else if (order === 'J' || order === 'K') {
      const row = this.#rows[this.#at.row]!;
      row.text = row.text.slice(0, this.#at.column);
      row.isBroken = false;
      if (order === 'J') for (let below = this.#at.row + 1; below < this.#rows.length; below++) this.#rows[below] = blank();
    } else if (order !== 'm' && order !== 'h' && order !== 'l') throw new Error(`this terminal does not know ${JSON.stringify(order)}`);
  }

  #put(character: string): void {
    if (character === '\r') this.#at.column = 0;
    else if (character === '\n') this.#down();
    else if (character >= ' ') {
      if (this.#at.column >= this.#size.columns) {
        this.#rows[this.#at.row]!.isBroken = true;
        this.#down();
        this.#at.column = 0;
      }
      const row = this.#rows[this.#at.row]!;
      row.text = row.text.slice(0, this.#at.column).padEnd(this.#at.column) + character + row.text.slice(this.#at.column + 1);
      this.#at.column += 1;
    }
  }

  #down(): void {
    this.#at.row += 1;
    if (this.#at.row === this.#rows.length) this.#rows.push(blank());
    this.#top = Math.max(this.#top, this.#at.row - this.#size.rows + 1);
  }
}

function broken(line: string, columns: number): Row[] {
  const rows: Row[] = [];
  for (let at = 0; at === 0 || at < line.length; at += columns) rows.push({ text: line.slice(at, at + columns), isBroken: at + columns < line.length });
  return rows;
}
