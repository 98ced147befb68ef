/**
 * Finds the credentials of a copy, at execution, in the cluster that executes it. A claim names rules, never
 * Secrets, hosts or credentials: what no rule or record of this cluster holds cannot be reached by sending one.
 *
 * @see contract, 6.3
 */
import { Failure } from '../domain/failure.js';
import { seesPod } from '../domain/filter.js';
import { knownImageRef, placeIdentity, repositoryText, type ImageName, type ImageRef } from '../domain/image-ref.js';
import { joinedText, mirrorPlace } from '../domain/join.js';
import type { ImageRecord } from '../domain/record.js';
import { offeredReplicas } from '../domain/replica.js';
import { isInForce, type Mirror, type MirrorRule, type ReplicaRule, type Rule, type SecretRef } from '../domain/rule.js';
import type { Pod } from '../domain/usage.js';
import type { Secret } from '../cluster/cluster.js';
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
  };

  async function readFrom(refs: readonly SecretRef[], at: ImageRef): Promise<Identity> {
    const secrets = await Promise.all(refs.map((ref) => sources.secret(ref)));
    return sources.keyring(secrets.filter((secret) => secret !== undefined), at);
  }

  function fallbackOf({ host }: ImageRef): SecretRef[] {
    const ref = sources.fallback(host);
    return ref === undefined ? [] : [ref];
  }

  /** Those of Pods in scope of the rules that want the copy; without a rule left, of all that use the image. */
  function podSecrets(subject: Subject): SecretRef[] {
    const rules = rulesOf(subject, sources.rules());
    const pods = sources.podsUsing(subject.image).filter((pod) => rules.length === 0 || rules.some((rule) => seesPod(rule, pod)));
    const names = new Set(pods.flatMap(({ namespace, pullSecrets }) => pullSecrets.map((name) => `${namespace}/${name}`)));
    return [...names]
      .sort()
      .slice(0, mostPodSecrets)
      .map((key) => ({ namespace: key.slice(0, key.indexOf('/')), name: key.slice(key.indexOf('/') + 1) }));
  }

  /** Who in this cluster says that the destination is ours to write. */
  function holdingOf(subject: Subject): { readonly secret?: SecretRef; readonly prefix: string } {
    const mirror = mirrorOf(subject, sources.rules());
    const at = knownImageRef(subject.destination);
    const prefix = mirror === undefined ? undefined : joinedText(mirror);
    if (mirror !== undefined && prefix !== undefined) return { secret: mirror.credentialSecret, prefix };
    const place = sources.record(subject.image)?.places.find(({ reference, role }) => role === 'mirror' && (reference as string) === subject.destination);
    if (place !== undefined) return { secret: place.secret, prefix: repositoryText(at) };
    throw new Failure({ code: 'invalid', side: 'destination', host: at.host, message: `no rule or record of this cluster holds ${subject.destination} as a copy of ${subject.image}` });
  }
}

/** The mirror rules a claim named, as this cluster has them now. */
function rulesOf({ rules: ids }: Subject, rules: readonly Rule[]): MirrorRule[] {
  return ids.flatMap(({ uid }) => rules.filter((rule): rule is MirrorRule => rule.type === 'mirror' && rule.id.uid === uid));
}

/** The mirror whose join of the image is exactly the destination: of the rules named first, then of any other. */
function mirrorOf(subject: Subject, rules: readonly Rule[]): Mirror | undefined {
  const image = knownImageRef(subject.image);
  const others = rules.filter((rule) => rule.type === 'mirror');
  return [...rulesOf(subject, rules), ...others].flatMap(({ mirrors }) => mirrors).find((mirror) => {
    const place = mirrorPlace(mirror, image);
    return place !== undefined && placeIdentity(place) === subject.destination;
  });
}

/** The Secret of the upstream that a source is, by rank of the replica rules in force. */
function upstreamSecret(source: ImageRef, { image }: Subject, rules: readonly Rule[]): SecretRef | undefined {
  const replicas = rules.filter((rule): rule is ReplicaRule => rule.type === 'replica' && isInForce(rule));
  const { places } = offeredReplicas(knownImageRef(image), replicas);
  return places.find(({ place }) => place === placeIdentity(source))?.secret;
}
