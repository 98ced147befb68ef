import { joinedText } from './join.js';
import { dockerHub, splitHost, withHubName, type ImageRef } from './image-ref.js';
import type { Rule, RuleId } from './rule.js';

/** Where one mirror keeps its copies: every image below is a copy and is never mirrored itself. */
interface MirrorPrefix {
  /** the segments in front, each with its slash: `mirror/team-a/`; empty for a whole host */
  readonly path: string;
  /** of the rule, for namespaced kinds */
  readonly namespace?: string;
}

/** The prefixes of all mirrors, by host in lower case. */
export type MirrorPrefixes = ReadonlyMap<string, readonly MirrorPrefix[]>;

/** Collects the prefixes of all rules, suspended and invalid ones included: their copies still exist. Make it once per change of a rule. */
export function mirrorPrefixes(rules: Iterable<Rule>): MirrorPrefixes {
  const prefixes = new Map<string, MirrorPrefix[]>();
  for (const rule of rules) {
    for (const mirror of rule.type === 'mirror' ? rule.mirrors : []) {
      const text = joinedText(mirror);
      if (text === undefined) continue;
      const { host, path } = splitPrefix(text);
      const others = prefixes.get(host) ?? [];
      others.push({ path, namespace: rule.id.namespace });
      prefixes.set(host, others);
    }
  }
  return prefixes;
}

/**
 * Whether a rule would mirror a mirror. Prefixes of all cluster rules count; those of namespaced rules count
 * for cluster rules and for rules of their own namespace.
 */
export function insideAnyMirror(image: ImageRef, prefixes: MirrorPrefixes, rule: Pick<RuleId, 'namespace'>): boolean {
  const path = `${image.path}/`;
  const counts = ({ namespace }: MirrorPrefix): boolean => namespace === undefined || rule.namespace === undefined || namespace === rule.namespace;
  return (prefixes.get(image.host.toLowerCase()) ?? []).some((prefix) => path.startsWith(prefix.path) && counts(prefix));
}

/**
 * Whether an image lies below one prefix, by path segments: `mirror` does not cover `mirror2`.
 *
 * @param prefix registry and path as one text, `host[:port][/path]`, as `joinedText` makes it
 */
export function isBelowPrefix(image: Pick<ImageRef, 'host' | 'path'>, prefix: string): boolean {
  const { host, path } = splitPrefix(prefix);
  return image.host.toLowerCase() === host && `${image.path}/`.startsWith(path);
}

/** The host is read as in references; the slash that ends the prefix is the one an image would follow. */
function splitPrefix(text: string): { host: string; path: string } {
  const { host, path } = splitHost(`${text}/`);
  const known = withHubName(host.toLowerCase());
  // both texts empty: the root of Docker Hub
  return text === '' ? { host: dockerHub, path: '' } : { host: known, path };
}
