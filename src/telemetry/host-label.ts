/**
 * Keeps a label bounded: the first `limit` hosts keep their names, all later ones are `other`.
 * Metrics share one instance, so that a host has the same name everywhere.
 */
export function createHostLabel(limit = 50): (host: string) => string {
  const known = new Set<string>();
  return (host) => {
    if (known.has(host)) return host;
    if (known.size >= limit) return 'other';
    known.add(host);
    return host;
  };
}
