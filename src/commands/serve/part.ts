import type { Resource } from '../../cluster/cluster.js';
import type { Rule } from '../../domain/rule.js';
import type { Check, Pages } from '../../telemetry/http.js';
import type { UsageView } from '../../views/usage.js';
import type { Views } from '../../watchers/watch.js';

/** A half of kuik. */
export interface Part {
  /** what it needs before it is ready */
  readonly checks: readonly Check[];
  /** what it tells beside its metrics, on the same port */
  readonly pages?: Pages;
  /** a view changed */
  readonly onChange?: () => void;
  /** works until the signal aborts, then ends in good order; waits and tries again where something is away */
  run(signal: AbortSignal): Promise<void>;
}

/** The manager also knows every Pod, and each rule's resource as it was last seen. */
export type ManagerViews = Views & { readonly usage: UsageView; readonly resource: (rule: Rule) => Resource | undefined };
