/**
 * How many deletions there may be: per registry and hour, and per rule and day. A mistake in a filter then costs a
 * few copies a day, and somebody notices.
 *
 * The ledger counts draws by slots of time. A slot that reaches into the window counts as a whole, so that no
 * window of that length ever holds more than its limit.
 */

/** Draws by slot: position of the slot since the epoch, in slots. */
type Slots = Readonly<Record<string, number>>;

/** What was drawn; a small text of ours holds it, so it survives every process. */
export interface Ledger {
  readonly v: 1;
  /** by `host[:port]`, in minutes */
  readonly registries: Readonly<Record<string, Slots>>;
  /** by `<Kind>/[<namespace>/]<name>`, in hours */
  readonly rules: Readonly<Record<string, Slots>>;
}

export interface BudgetLimits {
  readonly maxDeletionsPerHour: number;
  /** of the copies of a rule; never less than ten copies */
  readonly dailyBudgetPercent: number;
}

/** One deletion that wants to draw. */
export interface Draw {
  readonly registry: string;
  readonly rule: string;
  /** copies the rule has now */
  readonly ruleCopies: number;
}

export type Drawn =
  | { readonly result: 'drawn'; readonly ledger: Ledger }
  /** milliseconds until there may be room */
  | { readonly result: 'spent'; readonly by: 'registry' | 'rule'; readonly limit: number; readonly retryAfterMs: number };

export const emptyLedger: Ledger = { v: 1, registries: {}, rules: {} };

const minutes = 60_000;
const hours = 60 * minutes;
const leastPerDay = 10;

interface Window {
  readonly slotMs: number;
  readonly windowMs: number;
}

const perHour: Window = { slotMs: 1 * minutes, windowMs: 1 * hours };
const perDay: Window = { slotMs: 1 * hours, windowMs: 24 * hours };

/** Draws one deletion from both budgets, or from neither. @param now milliseconds since the epoch */
export function draw(ledger: Ledger, { registry, rule, ruleCopies }: Draw, limits: BudgetLimits, now: number): Drawn {
  const registries = prune(ledger.registries, perHour, now);
  const rules = prune(ledger.rules, perDay, now);
  const ofRegistry = registries[registry] ?? {};
  const ofRule = rules[rule] ?? {};
  const room = roomAt(ledger, registry, limits, now);
  const daily = dailyLimit(ruleCopies, limits);

  if (total(ofRule) >= daily) return { result: 'spent', by: 'rule', limit: daily, retryAfterMs: roomAfterMs(ofRule, perDay, now) };
  if (room.result === 'spent') return room;
  return {
    result: 'drawn',
    ledger: { v: 1, registries: { ...registries, [registry]: oneMore(ofRegistry, perHour, now) }, rules: { ...rules, [rule]: oneMore(ofRule, perDay, now) } },
  };
}

/** Whether a registry has room; nothing is drawn. */
export function roomAt(ledger: Ledger, registry: string, { maxDeletionsPerHour: limit }: BudgetLimits, now: number): Drawn {
  const slots = prune(ledger.registries, perHour, now)[registry] ?? {};
  return total(slots) < limit ? { result: 'drawn', ledger } : { result: 'spent', by: 'registry', limit, retryAfterMs: roomAfterMs(slots, perHour, now) };
}

/** Most deletions of a rule in a day. */
export function dailyLimit(ruleCopies: number, { dailyBudgetPercent }: BudgetLimits): number {
  return Math.max(leastPerDay, Math.floor((ruleCopies * dailyBudgetPercent) / 100));
}

/** What a stored text says. @returns undefined when it is no ledger: nobody knows what was drawn then */
export function readLedger(text: string | undefined): Ledger | undefined {
  if (text === undefined || text === '') return emptyLedger;
  try {
    const found: unknown = JSON.parse(text);
    return isLedger(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function isLedger(found: unknown): found is Ledger {
  return isMap(found) && found['v'] === 1 && areSlots(found['registries']) && areSlots(found['rules']);
}

function areSlots(found: unknown): boolean {
  return isMap(found) && Object.values(found).every((slots) => isMap(slots) && Object.entries(slots).every(([slot, count]) => Number.isInteger(Number(slot)) && Number.isInteger(count)));
}

function isMap(found: unknown): found is Record<string, unknown> {
  return typeof found === 'object' && found !== null && !Array.isArray(found);
}

/** What reaches into the window; a slot of the future, from a clock that was wrong, counts until it has passed. */
function prune(budgets: Readonly<Record<string, Slots>>, { slotMs, windowMs }: Window, now: number): Readonly<Record<string, Slots>> {
  const isRecent = (slot: string): boolean => (Number(slot) + 1) * slotMs > now - windowMs;
  const recent = Object.entries(budgets).map(([key, slots]) => [key, Object.fromEntries(Object.entries(slots).filter(([slot]) => isRecent(slot)))] as const);
  return Object.fromEntries(recent.filter(([, slots]) => Object.keys(slots).length > 0));
}

function total(slots: Slots): number {
  return Object.values(slots).reduce((sum, count) => sum + count, 0);
}

function oneMore(slots: Slots, { slotMs }: Window, now: number): Slots {
  const slot = String(Math.floor(now / slotMs));
  return { ...slots, [slot]: (slots[slot] ?? 0) + 1 };
}

/** When the oldest slot leaves the window. */
function roomAfterMs(slots: Slots, { slotMs, windowMs }: Window, now: number): number {
  const oldest = Math.min(...Object.keys(slots).map(Number));
  return Number.isFinite(oldest) ? Math.max(1, (oldest + 1) * slotMs + windowMs - now) : windowMs;
}
