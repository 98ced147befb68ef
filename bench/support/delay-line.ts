import type { Socket } from 'node:net';

/**
 * What is on the way at once; more would model an endless line, less would limit its bandwidth. A line without length holds
 * next to nothing: what a cut loses on it would be ours.
 */
const mostHeldBytes = { long: 8 * 1024 * 1024, short: 256 * 1024 };

interface Held {
  /** milliseconds on the clock of `performance.now()` */
  readonly due: number;
  /** undefined is the end of the stream */
  readonly chunk: Buffer | undefined;
}

/**
 * One direction of a connection: every chunk arrives `delayMs` after it was sent, in order, and so does the end.
 * The line holds a bounded number of bytes, and stops reading while the far side does not take what is due.
 */
export class DelayLine {
  bytes = 0;
  private readonly held: Held[] = [];
  private heldBytes = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly mostHeldBytes: number;

  /**
   * @param firstDelayMs how long the first chunk takes, the rest follows behind it
   * @param onChunk told of each chunk as it is sent, before its delay
   */
  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    delayMs: number,
    firstDelayMs = delayMs,
    onChunk: (chunk: Buffer) => void = () => undefined,
  ) {
    this.mostHeldBytes = delayMs > 0 ? mostHeldBytes.long : mostHeldBytes.short;
    let delay = firstDelayMs;
    from.on('data', (chunk: Buffer) => {
      onChunk(chunk);
      this.bytes += chunk.length;
      this.hold(chunk, delay);
      delay = delayMs;
    });
    from.on('end', () => this.hold(undefined, delay));
    to.on('drain', () => this.deliver());
    to.on('close', () => clearTimeout(this.timer));
  }

  private hold(chunk: Buffer | undefined, delayMs: number): void {
    // never before what was sent earlier
    const due = Math.max(performance.now() + delayMs, this.held.at(-1)?.due ?? 0);
    this.held.push({ due, chunk });
    this.heldBytes += chunk?.length ?? 0;
    if (this.heldBytes > this.mostHeldBytes) this.from.pause();
    if (this.timer === undefined) this.deliver();
  }

  private deliver(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    while (this.held[0] !== undefined && !this.to.writableNeedDrain) {
      const wait = this.held[0].due - performance.now();
      // timers count whole milliseconds: half of one early is nearer than half of one late
      if (wait > 0.5) {
        this.timer = setTimeout(() => this.deliver(), wait);
        return;
      }
      this.release(this.held[0]);
      this.held.shift();
    }
  }

  private release({ chunk }: Held): void {
    if (this.to.destroyed) return;
    if (chunk === undefined) {
      this.to.end();
      return;
    }
    this.to.write(chunk);
    this.heldBytes -= chunk.length;
    if (this.heldBytes <= this.mostHeldBytes) this.from.resume();
  }
}
