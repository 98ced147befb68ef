import type { Traffic } from './delay-relay.js';
import type { Launcher, Usage } from './measure.js';

/** A benchmark: opened once, its cases are played one after the other. */
export interface Bench {
  readonly name: string;
  open(options: BenchOptions): Promise<OpenBench>;
}

export interface BenchOptions {
  /** round-trip time between clients and registries, milliseconds */
  readonly rttMs: number;
  readonly peers: readonly PeerName[];
  /** cases to play; all unless told */
  readonly cases?: readonly string[];
  /** told what is being prepared */
  readonly say: (line: string) => void;
}

export type PeerName = 'crane' | 'regctl';

export interface OpenBench {
  readonly cases: readonly Case[];
  /** of every program that takes part */
  readonly versions: Readonly<Record<string, string>>;
  /** one line for each peer that cannot be had */
  readonly leftOut: readonly string[];
  close(): Promise<void>;
}

/** The same work, done by several. */
export interface Case {
  readonly name: string;
  readonly title: string;
  readonly contenders: readonly Contender[];
  readonly figures: readonly Figure[];
  /** what has to be known to repeat it: sizes, counts, `rttMs` */
  readonly conditions: Readonly<Record<string, string | number>>;
}

export interface Contender {
  readonly name: string;
  /** sets up what one run needs; not measured */
  prepare(): Promise<Attempt>;
}

/** One run of one contender. */
export interface Attempt {
  /** what is measured */
  run(launcher: Launcher): Promise<void>;
  /** what went over the lines during the run */
  traffic(): Readonly<Record<string, Traffic>>;
  /** throws when the work was not done */
  check(): Promise<void>;
  clean(): Promise<void>;
}

/** A ratio that is quoted: median of ours over median of the peer. */
export interface Figure {
  /** `G1`, when performance goals name it */
  readonly goal?: string;
  readonly quantity: keyof Usage;
  readonly ours: string;
  readonly peer: string;
  /** met when the ratio is at most this */
  readonly atMost?: number;
}

/** What one run gave. */
export interface RawRun extends Usage {
  readonly traffic: Readonly<Record<string, Traffic>>;
}
