import type { Traffic } from './delay-relay.js';
import type { RawRun } from './bench.js';

/** Something a run can be asked for. */
export interface Quantity {
  /** as tables show it */
  readonly name: string;
  readonly unit: 'ms' | 'bytes' | 'count';
  /** undefined when this run does not tell */
  of(run: RawRun): number | undefined;
}

export const wall: Quantity = { name: 'wall', unit: 'ms', of: ({ wallMs }) => wallMs };
export const clientCpu: Quantity = { name: 'client CPU', unit: 'ms', of: ({ cpuMs }) => cpuMs };
export const peakRss: Quantity = { name: 'peak RSS', unit: 'bytes', of: ({ peakBytes }) => peakBytes };

/** What went over one line of the run, counted in its relay. */
export function overLine(line: string, what: keyof Traffic, name: string): Quantity {
  return { name, unit: what.startsWith('bytes') ? 'bytes' : 'count', of: ({ traffic }) => traffic[line]?.[what] };
}

/** What only this benchmark knows of a run, by the name the attempt gives it. */
export function reading(name: string, unit: Quantity['unit']): Quantity {
  return { name, unit, of: ({ readings }) => readings[name] };
}
