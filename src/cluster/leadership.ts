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
