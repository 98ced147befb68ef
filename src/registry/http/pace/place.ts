import type { LaneLimit } from './lane-limit.js';
import type { Priority } from './priority.js';

/** A place in a lane for one request, taken and given back as often as it has to wait for something else. */
export class Place {
  #giveBack: (() => void) | undefined;
  #isOver = false;

  constructor(
    readonly lane: LaneLimit,
    readonly priority: Priority,
    readonly signal: AbortSignal,
  ) {}

  /** @throws the signal's reason when it aborts while waiting */
  async enter(): Promise<void> {
    const giveBack = await this.lane.enter(this.priority, this.signal);
    // left for good while it waited
    if (this.#isOver) giveBack();
    else this.#giveBack = giveBack;
  }

  /** Lets others have the place meanwhile, and queues for one again. */
  async outside(wait: () => Promise<void>): Promise<void> {
    this.#release();
    await wait();
    await this.enter();
  }

  /** For good; safe to call twice. */
  leave(): void {
    this.#isOver = true;
    this.#release();
  }

  #release(): void {
    this.#giveBack?.();
    this.#giveBack = undefined;
  }
}
