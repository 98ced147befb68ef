/** What is followed, by what was asked for. */
import type { ImageRecord } from '../../domain/record.js';
import type { Chosen } from './choose.js';
import { FollowingChecks } from './follow-checks.js';
import { Following } from './follow.js';
import type { Results } from './report.js';

export class Followed {
  readonly #copies = new Following();
  readonly #checks = new FollowingChecks();

  /** @param record as the API server answered the request */
  ask({ record, what }: Chosen): void {
    this.#of(what).ask(record);
  }

  /** Its record is gone, so there is nothing to ask for. */
  lose({ record, what }: Chosen): void {
    this.#of(what).lose(record);
  }

  /** @param message why it could not be asked for */
  refuse({ record, what }: Chosen, message: string): void {
    this.#of(what).refuse(record, message);
  }

  /** @returns whether anything is different now */
  see(change: Parameters<Following['see']>[0]): boolean {
    return [this.#copies.see(change), this.#checks.see(change)].includes(true);
  }

  get results(): Results {
    return { copies: this.#copies.copies, checks: this.#checks.checks };
  }

  get isOver(): boolean {
    return this.#copies.isOver && this.#checks.isOver;
  }

  #of(what: Chosen['what']): { ask(record: ImageRecord): void; lose(record: ImageRecord): void; refuse(record: ImageRecord, message: string): void } {
    return what === 'copies' ? this.#copies : this.#checks;
  }
}
