/**
 * Finds the credentials of a copy, at execution, in the cluster that executes it. A claim names rules, never
 * Secrets, hosts or credentials: what no rule or record of this cluster holds cannot be reached by sending one.
 *
 * @see docs/concepts/mirror.md
 */
import { mirrorAt } from '../domain/copy-policy.js';
import { Failure } from '../domain/failure.js';
import { seesPod } from '../domain/filter.js';
import { knownImageRef, placeIdentity, repositoryText, type ImageName, type ImageRef } from '../domain/image-ref.js';
import { joinedText } from '../domain/join.js';
import type { ImageRecord, PlaceRecord } from '../domain/record.js';
import { offeredReplicas } from '../domain/replica.js';
import { isInForce, ruleText, type MirrorRule, type ReplicaRule, type Rule, type SecretRef } from '../domain/rule.js';
import type { Pod } from '../domain/usage.js';
import type { Secret } from '../domain/secret.js';
import type { Identity } from '../registry/registry.js';
import type { Subject } from '../temporal/activities.js';

export interface Credentials {
  /** To read an image: the upstream's Secret, those of the Pods that use the image, the host's fallback. Missing ones are skipped. */
  source(of: ImageName, subject: Subject): Promise<Identity>;
  /**
   * To write the copy: the mirror's Secret.
   *
   * @throws Failure `invalid` when neither a rule nor a record of this cluster holds the destination, `unauthorized` when the Secret is gone
   */
  destination(subject: Subject): Promise<Identity>;
  /**
   * The mirror a copy lies in: registry and path of the rule, or the place itself where only a record is left.
   *
   * @throws Failure `invalid` as above
   */
  prefix(subject: Subject): string;
  /**
   * Who holds the destination at this moment, as a text that is another one as soon as somebody else does, or with
   * another Secret: a rule that was deleted and made again is not the one it was.
   *
   * @throws Failure `invalid` as above
   */
  holder(subject: Subject): string;
}

/** What is looked at. Rules and records are this cluster's own, as its watchers see them. */
export interface CredentialSources {
  readonly rules: () => readonly Rule[];
  readonly record: (image: ImageName) => ImageRecord | undefined;
  readonly podsUsing: (image: ImageName) => readonly Pod[];
  readonly secret: (ref: SecretRef) => Promise<Secret | undefined>;
  /** credentials of Secrets that fit a repository, in order */
  readonly keyring: (secrets: readonly Secret[], repository: ImageRef) => Identity;
  /** the Secret configured for a host */
  readonly fallback: (host: string) => SecretRef | undefined;
}

const mostPodSecrets = 16; // of a thousand Pods: their Secrets are the same few, and each costs a request

export function createCredentials(sources: CredentialSources): Credentials {
  return {
    async source(of, subject) {
      const at = knownImageRef(of);
      const upstream = upstreamSecret(at, subject, sources.rules());
      const found = await Promise.all([
        readFrom(upstream === undefined ? [] : [upstream], at),
        readFrom(podSecrets(subject), at),
        readFrom(fallbackOf(at), at),
      ]);
      return found.flat();
    },

    async destination(subject) {
      const at = knownImageRef(subject.destination);
      const { secret } = holdingOf(subject);
      if (secret === undefined) return [];
      const read = await sources.secret(secret);
      if (read === undefined) throw new Failure({ code: 'unauthorized', side: 'destination', host: at.host, message: `secret ${secret.namespace}/${secret.name} does not exist` });
      return sources.keyring([read], at);
    },

    prefix: (subject) => holdingOf(subject).prefix,

    holder(subject) {
      const { by, secret } = holdingOf(subject);
      return `${by} ${secret?.namespace ?? ''}/${secret?.name ?? ''}`;
    },
  };

  async function readFrom(refs: readonly SecretRef[], at: ImageRef): Promise<Identity> {
    const secrets = await Promise.all(refs.map((ref) => sources.secret(ref)));
    return sources.keyring(secrets.filter((secret) => secret !== undefined), at);
  }

  function fallbackOf({ host }: ImageRef): SecretRef[] {
    const ref = sources.fallback(host);
    return ref === undefined ? [] : [ref];
  }

  /**
   * Those of Pods in scope of the rules that want the copy. Once these are gone, of all that use the image; but what a
   * rule of a namespace began is never read with a Secret of another namespace.
   */
  function podSecrets(subject: Subject): SecretRef[] {
    const all = mirrorRulesOf(sources.rules());
    const rules = [...rulesOf(subject, all), ...madeAgain(subject, all)];
    const namespaces = namespacesOf(subject);
    const isInScope = (pod: Pod): boolean => (rules.length > 0 ? rules.some((rule) => seesPod(rule, pod)) : namespaces === undefined || namespaces.has(pod.namespace));
    const pods = sources.podsUsing(subject.image).filter(isInScope);
    const names = new Set(pods.flatMap(({ namespace, pullSecrets }) => pullSecrets.map((name) => `${namespace}/${name}`)));
    return [...names]
      .sort()
      .slice(0, mostPodSecrets)
      .map((key) => ({ namespace: key.slice(0, key.indexOf('/')), name: key.slice(key.indexOf('/') + 1) }));
  }

  /** @returns undefined when a rule of the whole cluster began it, or nobody knows which one did */
  function namespacesOf(subject: Subject): ReadonlySet<string> | undefined {
    const began = subject.rules.length > 0 ? subject.rules.map(({ namespace }) => namespace) : [namespaceIn(placeOf(subject)?.rule)];
    const known = began.filter((namespace) => namespace !== undefined);
    return known.length === began.length ? new Set(known) : undefined;
  }

  function placeOf(subject: Subject): PlaceRecord | undefined {
    return sources.record(subject.image)?.places.find(({ reference, role }) => role === 'mirror' && (reference as string) === subject.destination);
  }

  /**
   * Who in this cluster says that the destination is ours to write:
   *
   * 1. a rule that the claim named, while one of its mirrors makes this place of the image; or one made again since,
   *    under the same name;
   * 2. the rule that the record of the copy names: the record is this cluster's own word;
   * 3. the record alone, once rule or mirror is gone;
   * 4. for a claim that names no rule and only keeps what is there: any rule with such a mirror.
   *
   * What a rule asked for is never written with the Secret of some other rule that keeps copies there, too: a tenant
   * would only have to delete a rule in the middle of a copy to push with the credential of another one.
   */
  function holdingOf(subject: Subject): Holding {
    const rules = mirrorRulesOf(sources.rules());
    const place = placeOf(subject);
    const held = heldBy([...rulesOf(subject, rules), ...madeAgain(subject, rules), ...recordedRule(place, rules)], subject);
    if (held !== undefined) return held;
    const at = knownImageRef(subject.destination);
    if (place !== undefined) return { by: 'record', secret: place.secret, prefix: repositoryText(at) };
    const keeping = subject.rules.length === 0 ? heldBy(rules, subject) : undefined;
    if (keeping !== undefined) return keeping;
    throw new Failure({ code: 'invalid', side: 'destination', host: at.host, message: `no rule or record of this cluster holds ${subject.destination} as a copy of ${subject.image}` });
  }
}

interface Holding {
  /** UID of the rule, or `record` */
  readonly by: string;
  readonly secret?: SecretRef;
  /** registry and path of the mirror, or the place itself */
  readonly prefix: string;
}

function mirrorRulesOf(rules: readonly Rule[]): MirrorRule[] {
  return rules.filter((rule) => rule.type === 'mirror');
}

/** The mirror rules a claim named, as this cluster has them now. */
function rulesOf({ rules: ids }: Subject, rules: readonly MirrorRule[]): MirrorRule[] {
  return ids.flatMap(({ uid }) => rules.filter(({ id }) => id.uid === uid));
}

/** Of `<Kind>/<namespace>/<name>`; rules of the whole cluster have none. */
function namespaceIn(rule: string | undefined): string | undefined {
  const [, namespace, name] = rule?.split('/') ?? [];
  return name === undefined ? undefined : namespace;
}

/** Of the same kind, namespace and name as a rule that is gone: whoever deletes a rule and applies it once more means it. */
function madeAgain({ rules: ids }: Subject, rules: readonly MirrorRule[]): MirrorRule[] {
  const names = new Set(ids.map(ruleText));
  return rules.filter(({ id }) => names.has(ruleText(id)));
}

function recordedRule(place: PlaceRecord | undefined, rules: readonly MirrorRule[]): MirrorRule[] {
  return rules.filter(({ id }) => ruleText(id) === place?.rule);
}

/** The first of these rules with a mirror whose join of the image is exactly the destination. */
function heldBy(rules: readonly MirrorRule[], subject: Subject): Holding | undefined {
  const image = knownImageRef(subject.image);
  for (const rule of rules) {
    const mirror = mirrorAt(rule, image, subject.destination as string as ImageName);
    const prefix = mirror === undefined ? undefined : joinedText(mirror);
    if (mirror !== undefined && prefix !== undefined) return { by: rule.id.uid, secret: mirror.credentialSecret, prefix };
  }
  return undefined;
}

/** The Secret of the upstream that a source is, by rank of the replica rules in force. */
function upstreamSecret(source: ImageRef, { image }: Subject, rules: readonly Rule[]): SecretRef | undefined {
  const replicas = rules.filter((rule): rule is ReplicaRule => rule.type === 'replica' && isInForce(rule));
  const { places } = offeredReplicas(knownImageRef(image), replicas);
  return places.find(({ place }) => place === placeIdentity(source))?.secret;
}
