import type { Cluster, WatchHealth } from '../cluster/cluster.js';

export interface WatchLogDeps {
  readonly cluster: Pick<Cluster, 'watchHealth'>;
  readonly warn: (fields: { readonly kinds: readonly string[]; readonly error: string }) => void;
  readonly info: (fields: { readonly kinds: readonly string[] }) => void;
}

/**
 * Tells once when watches cannot be kept, and once when they are back: decisions go on from what was seen last,
 * so nothing else would show it.
 *
 * @returns one look; call it every few seconds
 */
export function createWatchLog({ cluster, warn, info }: WatchLogDeps): () => void {
  let away: ReadonlySet<string> = new Set();
  return () => {
    const broken = cluster.watchHealth().filter(isBroken);
    const now = new Set(broken.map(({ kind }) => kind as string));
    const [lost] = broken.filter(({ kind }) => !away.has(kind));
    if (lost !== undefined) warn({ kinds: [...now].filter((kind) => !away.has(kind)), error: errorText(broken.filter(({ kind }) => !away.has(kind))) });
    const back = [...away].filter((kind) => !now.has(kind));
    if (back.length > 0) info({ kinds: back });
    away = now;
  };
}

/** An outage is the same for all kinds; of missing rights each has to be granted. */
function errorText(lost: readonly WatchHealth[]): string {
  const denied = lost.filter(({ lastError }) => lastError?.code === 'denied');
  return (denied.length > 0 ? denied : lost.slice(0, 1)).map(({ lastError }) => lastError?.message ?? '').join('; ');
}

function isBroken({ lastError }: WatchHealth): boolean {
  return lastError !== undefined;
}
