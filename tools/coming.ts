import type { Server } from './servers.js';

/** A server that comes and goes on one port, with its data. */
export class Coming<T extends Server> {
  readonly #start: () => Promise<T>;
  #running: T | undefined;

  constructor(start: () => Promise<T>) {
    this.#start = start;
  }

  get running(): T {
    if (this.#running === undefined) throw new Error('this server is not running now');
    return this.#running;
  }

  async start(): Promise<T> {
    this.#running ??= await this.#start();
    return this.#running;
  }

  async stop(how: 'stop' | 'kill' = 'stop'): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.[how]();
  }
}
