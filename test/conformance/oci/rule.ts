import type { Wire } from './wire.js';

/** Endpoints by the numbers of the specification's table; `-` was there before it and is not in it. */
export type Endpoint = 'end-1' | 'end-2' | 'end-3' | 'end-4a' | 'end-4b' | 'end-5' | 'end-6' | 'end-7' | 'end-8a' | 'end-8b' | 'end-9' | 'end-10' | 'end-11' | 'end-12a' | 'end-12b' | 'end-13' | '-';

/**
 * One thing that a registry does in its own way, or does as the specification asks.
 *
 * @see OCI distribution specification 1.1, "Endpoints"
 */
export interface Rule {
  readonly end: Endpoint;
  /** what is asked: the rule's name, alone in the whole table */
  readonly asks: string;
  /** what the specification asks for, or the most that it allows, in the words of `observe` */
  readonly answer: string;
  /** why another answer is no fault of a registry; without it the specification demands this one */
  readonly leeway?: string;
  /**
   * Asks it, and says what happened.
   *
   * @param name a repository that nobody else uses; those below it are free too
   */
  observe(wire: Wire, name: string): Promise<string>;
}
