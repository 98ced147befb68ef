import { draw, readLedger, roomAt, type BudgetLimits, type Draw, type Drawn, type Ledger } from '../domain/budget.js';
import type { Cluster, NoteRef } from '../cluster/cluster.js';

/** The deletion budgets of one cluster. `unreadable`: nobody knows what was drawn before. */
export interface Budget {
  readonly draw: (wanted: Draw) => Promise<Drawn | 'unreadable'>;
  /** whether a registry has room, without drawing */
  readonly room: (registry: string) => Promise<Drawn | 'unreadable'>;
}

export interface BudgetDeps {
  readonly cluster: Pick<Cluster, 'changeNote'>;
  readonly note: NoteRef;
  readonly limits: BudgetLimits;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

/** All replicas share the ledger and it outlives them: a note in the install namespace. */
export function createBudget({ cluster, note, limits, now }: BudgetDeps): Budget {
  const change = (from: (ledger: Ledger) => Drawn): Promise<Drawn | 'unreadable'> =>
    cluster.changeNote<Drawn | 'unreadable'>(note, (text) => {
      const ledger = readLedger(text);
      if (ledger === undefined) return { text, answer: 'unreadable' };
      const drawn = from(ledger);
      return { text: drawn.result === 'drawn' && drawn.ledger !== ledger ? JSON.stringify(drawn.ledger) : text, answer: drawn };
    });
  return {
    draw: (wanted) => change((ledger) => draw(ledger, wanted, limits, now())),
    room: (registry) => change((ledger) => roomAt(ledger, registry, limits, now())),
  };
}
