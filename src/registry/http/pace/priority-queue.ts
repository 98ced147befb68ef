/** Who waits for what is scarce, and who gets it next. */
import { priorities, type Priority } from './priority.js';

/** every tenth turn goes to the longest waiting, whatever its priority: nobody starves */
const fairEvery = 10;

interface Waiting {
  /** counts up: the lowest one has waited longest */
  readonly ticket: number;
  readonly go: () => void;
}

export class PriorityQueue {
  /** in the order of `priorities`; a set keeps the order of arrival, and whoever leaves costs nothing */
  readonly #lines = priorities.map(() => new Set<Waiting>());
  #tickets = 0;
  #given = 0;

  get length(): number {
    return this.#lines.reduce((sum, line) => sum + line.size, 0);
  }

  lengthOf(priority: Priority): number {
    return this.#lineOf(priority).size;
  }

  /**
   * Waits until `next` chooses this one.
   *
   * @throws the signal's reason when it aborts first; then it waits no longer
   */
  wait(priority: Priority, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const line = this.#lineOf(priority);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        line.delete(waiting);
        reject(signal.reason as Error);
      };
      const go = (): void => {
        line.delete(waiting);
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const waiting: Waiting = { ticket: this.#tickets++, go };
      signal.addEventListener('abort', leave, { once: true });
      line.add(waiting);
    });
  }

  /** Lets the next one go. False when nobody waits. */
  next(): boolean {
    const firsts = this.#lines.map(firstOf).filter((waiting) => waiting !== undefined);
    const [best] = firsts;
    if (best === undefined) return false;
    const isFair = ++this.#given % fairEvery === 0;
    const chosen = isFair ? longestWaiting(firsts, best) : best;
    chosen.go();
    return true;
  }

  #lineOf(priority: Priority): Set<Waiting> {
    return this.#lines[priorities.indexOf(priority)]!;
  }
}

function firstOf(line: ReadonlySet<Waiting>): Waiting | undefined {
  return line.values().next().value;
}

function longestWaiting(all: readonly Waiting[], first: Waiting): Waiting {
  let longest = first;
  for (const other of all) if (other.ticket < longest.ticket) longest = other;
  return longest;
}
