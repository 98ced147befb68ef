/** Who of several replicas does what only one may do. Identity of workflows is the real lock; this only avoids double work. */
export interface Leadership {
  readonly isLeader: boolean;
  /**
   * Takes part until the signal aborts, then gives the lead back. Never rejects.
   *
   * @param on called when the lead is gained, and when it is lost: lost comes before anybody else can gain it
   */
  run(on: LeadershipChanges, signal: AbortSignal): Promise<void>;
}

export interface LeadershipChanges {
  readonly gained: () => void;
  readonly lost: () => void;
}

/** For a single process: it leads as long as it runs. */
export class AloneLeads implements Leadership {
  #isLeader = false;

  get isLeader(): boolean {
    return this.#isLeader;
  }

  async run(on: LeadershipChanges, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#isLeader = true;
    on.gained();
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#isLeader = false;
    on.lost();
  }
}
