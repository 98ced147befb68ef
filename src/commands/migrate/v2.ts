/**
 * What of a v2 set-up behaves differently here. Its resources are ours, so most of it is only worth knowing; what should
 * be changed comes first. Pure: from the picture the manager would have.
 */
import { isIP } from 'node:net';
import type { Resource } from '../../cluster/cluster.js';
import type { Config } from '../../config/config.js';
import { splitHost } from '../../domain/image-ref.js';
import { joinedText } from '../../domain/join.js';
import { finalizers } from '../../domain/names.js';
import { ruleText, type MirrorRule, type Rule } from '../../domain/rule.js';
import type { Picture } from '../../watchers/reconcile.js';
import type { DifferenceList } from '../documents/migrate.js';

type Difference = DifferenceList['items'][number];

export interface V2Setup {
  readonly picture: Pick<Picture, 'rules' | 'plan' | 'used'>;
  readonly resources: readonly Pick<Resource, 'kind' | 'namespace' | 'name' | 'finalizers' | 'spec' | 'status'>[];
  readonly config: Pick<Config, 'registries' | 'temporal'>;
}

export function differencesFrom({ picture, resources, config }: V2Setup): readonly Difference[] {
  const { rules, plan, used } = picture;
  const mirrors = rules.filter((rule) => rule.type === 'mirror');
  const found = [
    ...rules.flatMap(unreadable),
    ...plan.collisions.map(({ destination, holder, image }) => act(destination, `${holder} and ${image} both want it; v2 let the later copy win, here ${image} is refused`, 'write layout: host into the mirror, or give one of them a path of its own')),
    ...plainHosts(rules).filter((host) => !isPlain(host, config)).map((host) => act(host, 'v2 spoke plain HTTP to registries on private addresses; here only where configured', `write configuration.registries.items.${JSON.stringify(host)}.plainHTTP: true, unless it has a certificate`)),
    ...mirrors.flatMap(cleanupDifferences),
    ...mirrors.flatMap(sharedSecret),
    ...neighbours(mirrors),
    ...rules.flatMap(discarding),
    ...resources.flatMap(ofResource),
    ...pinnedImages(used),
  ];
  return [...found.filter(({ weight }) => weight === 'act'), ...found.filter(({ weight }) => weight === 'know')];
}

const act = (subject: string, what: string, next: string): Difference => ({ subject, what, next, weight: 'act' });
const know = (subject: string, what: string, next = 'nothing to do'): Difference => ({ subject, what, next, weight: 'know' });

/** An object that cannot be read contributed nothing in v2, or stopped everything; here it says so on itself. */
function unreadable({ id, problems }: Rule): Difference[] {
  return problems.map(({ message, disables }) => act(ruleText(id), `${message}: ${disabled[disables]}`, 'correct the field; until then the rest works'));
}

const disabled = { rule: 'the rule is out of force', item: 'that item is left out', cleanup: 'its clean-up is off', nothing: 'it is read as unset' } as const satisfies Record<Rule['problems'][number]['disables'], string>;

function cleanupDifferences({ id, mirrors }: MirrorRule): Difference[] {
  const cleaned = mirrors.filter(({ cleanup }) => cleanup.enabled);
  const unset = cleaned.filter(({ cleanup }) => cleanup.retentionMs === undefined);
  const atOnce = cleaned.filter(({ cleanup }) => cleanup.retentionMs === 0);
  const kept = mirrors.filter(({ cleanup }) => !cleanup.enabled);
  return [
    ...(atOnce.length === 0 ? [] : [know(ruleText(id), 'retention is 0s, perhaps written by v2 where nothing was: unused copies go after the safety pause, as they went there', 'cleanup.retention: 720h keeps them for a month')]),
    ...(unset.length === 0 ? [] : [know(ruleText(id), 'clean-up without retention keeps unused copies for 720h; v2 deleted them at once', 'cleanup.retention: 0s asks for the old pace')]),
    ...(kept.length === 0 ? [] : [know(ruleText(id), 'when the rule is deleted its copies stay, as it has no clean-up', 'annotate it with kuik.enix.io/purge: "true" before deleting it, if they are to go')]),
  ];
}

function sharedSecret({ id, mirrors }: MirrorRule): Difference[] {
  const shared = mirrors.filter(({ credentialSecret, pullSecret }) => credentialSecret !== undefined && pullSecret === undefined);
  return shared.length === 0 ? [] : [know(ruleText(id), 'Pods pull with the credential that pushes, as in v2', 'mirrors[].pullSecret gives them one of their own')];
}

/** v2 compared prefixes as texts. */
function neighbours(rules: readonly MirrorRule[]): Difference[] {
  const prefixes = [...new Set(rules.flatMap(({ mirrors }) => mirrors.flatMap((mirror) => joinedText(mirror) ?? [])))];
  const pairs = prefixes.flatMap((one) => prefixes.filter((other) => other !== one && other.startsWith(one) && !other.startsWith(`${one}/`)).map((other) => [one, other] as const));
  return pairs.map(([one, other]) => know(one, `images below ${other} are not taken for its copies any more, since path segments are compared`));
}

function discarding(rule: Rule): Difference[] {
  if (rule.type !== 'replica' || !rule.upstreams.some(({ discarded }) => discarded)) return [];
  return [know(ruleText(rule.id), 'discardAlternative on the matching upstream takes the origin out: Pods go to the other upstreams, and when none answers they keep their own text')];
}

const mostListed = 500;

function ofResource({ kind, namespace, name, finalizers: held, spec, status }: V2Setup['resources'][number]): Difference[] {
  const subject = ruleText({ kind, name, ...(namespace === undefined ? {} : { namespace }) });
  const { matchingImages, images } = (status ?? {}) as { readonly matchingImages?: readonly unknown[]; readonly images?: readonly unknown[] };
  const listed = Math.max(matchingImages?.length ?? 0, images?.length ?? 0);
  return [
    ...cleanedAnew(subject, spec),
    ...(held.includes(finalizers.secretCleanup) ? [know(subject, `its finalizer ${finalizers.secretCleanup} is not added any more: copies of Secrets go with their owner`)] : []),
    ...(listed > mostListed ? [know(subject, `its status lists ${listed} images; here at most ${mostListed}, the worst first`, 'kubectl get ia, and /status/images of the manager, show all')] : []),
  ];
}

interface WrittenCleanup {
  readonly cleanup?: { readonly enabled?: unknown } | null;
}

/** v2 read the clean-up of the rule only. */
function cleanedAnew(subject: string, spec: unknown): Difference[] {
  const { cleanup, mirrors } = (spec ?? {}) as WrittenCleanup & { readonly mirrors?: unknown };
  const items = Array.isArray(mirrors) ? (mirrors as readonly (WrittenCleanup | null)[]) : [];
  if (cleanup?.enabled === true || !items.some((mirror) => mirror?.cleanup?.enabled === true)) return [];
  return [act(subject, 'mirrors[].cleanup is enabled, which v2 ignored: here copies at that mirror that nobody uses are deleted', 'take it out of the mirror, if its copies are to stay')];
}

function pinnedImages(used: Picture['used']): Difference[] {
  const pinned = used.filter(({ ref }) => ref.digest !== undefined).length;
  return pinned === 0 ? [] : [know('Pods', `${pinned} pinned images (name@sha256:...), which v2 left alone, are routed, mirrored and monitored`, 'nothing to do; an exclude of .*@sha256:.* keeps them out')];
}

/** Hosts of rules that v2 took for ones without TLS. */
function plainHosts(rules: readonly Rule[]): readonly string[] {
  const texts = rules.flatMap((rule) => (rule.type === 'mirror' ? rule.mirrors : rule.type === 'replica' ? rule.upstreams : []).flatMap((location) => joinedText(location) ?? []));
  return [...new Set(texts.map((text) => splitHost(`${text}/`).host).filter(isPrivate))].sort();
}

/** RFC 1918, and names that only mean something at home. Loopback stays without TLS. */
function isPrivate(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return name.endsWith('.local') || (isIP(name) === 4 && /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)/.test(name));
}

function isPlain(host: string, { registries }: V2Setup['config']): boolean {
  return Object.hasOwn(registries.items, host) && registries.items[host]?.plainHTTP === true;
}
