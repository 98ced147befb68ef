import type { Traffic } from './delay-relay.js';
import type { Launcher, Usage } from './measure.js';
import type { Quantity } from './quantities.js';

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

export type PeerName = 'crane' | 'regctl' | 'skopeo';

export interface OpenBench {
  /** each prepared when it is its turn */
  readonly cases: readonly (() => Promise<Case>)[];
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
  prepare(round: Round): Promise<Attempt>;
}

/** `warm-up` is the first one, whose times count for nothing: a relay that would slow the others down may count in it. */
export type Round = 'warm-up' | 'timed';

/** One run of one contender. */
export interface Attempt {
  /** what is measured */
  run(launcher: Launcher): Promise<void>;
  /** what went over the lines during the run */
  traffic(): Readonly<Record<string, Traffic>>;
  /** what else is to be known of the run, by name */
  readings?(): Readonly<Record<string, number>>;
  /** throws when the work was not done */
  check(): Promise<void>;
  clean(): Promise<void>;
}

/** What is quoted, always of medians. */
export type Figure = Quoted &
  (
    | { readonly as: 'ratio'; /** another contender: over its quantity */ readonly peer: string }
    | { readonly as: 'excess'; /** another contender: beyond its quantity */ readonly peer: string }
    | { readonly as: 'share'; /** something of a known amount: over that */ readonly whole: { readonly name: string; readonly amount: number } }
    | { readonly as: 'amount' }
  );

interface Quoted {
  /** `G1`, when performance goals name it */
  readonly goal?: string;
  readonly quantity: Quantity;
  readonly contender: string;
  /** met when the figure is at most this, in the unit of the quantity unless it is a ratio or a share */
  readonly atMost?: number;
}

/** What one run gave. */
export interface RawRun extends Usage {
  /** by line; empty when nothing was counted */
  readonly traffic: Readonly<Record<string, Traffic>>;
  readonly readings: Readonly<Record<string, number>>;
}
