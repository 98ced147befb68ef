/**
 * What would not start again: which workloads hang on one registry, and which images can be pulled from nowhere. Places
 * are those that routing would offer; whether one holds the image is what its record tells, since nobody asks here.
 *
 * @see docs/concepts/route.md
 */
import { candidates, offerTo, type Candidate } from './candidate.js';
import { holdingOf, type Holding } from './holding.js';
import { imageName, type ImageName } from './image-ref.js';
import type { MirrorPrefixes } from './mirror-prefix.js';
import { optOutOf, type SkipSettings } from './opt-out.js';
import { originalsOf } from './original.js';
import { referenceOf } from './record-plan.js';
import type { ImageRecord } from './record.js';
import type { Rule } from './rule.js';
import type { Pod, Usage } from './usage.js';
import { originOf } from './v1-proxy.js';

export interface RiskPicture {
  readonly pods: Iterable<Pod>;
  /** in force, for Pods of a namespace */
  readonly rules: (namespace: string) => readonly Rule[];
  /** of all rules, also those out of force */
  readonly prefixes: MirrorPrefixes;
  readonly record: (image: ImageName) => ImageRecord | undefined;
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>;
  readonly skip: SkipSettings;
  readonly v1ProxyPort: number;
}

export interface Risks {
  /** by host: workloads with an image that can be pulled from there alone */
  readonly atRisk: ReadonlyMap<string, number>;
  /** by host of the origin: images in use that can be pulled from nowhere */
  readonly unavailable: ReadonlyMap<string, number>;
}

export function risksOf(picture: RiskPicture): Risks {
  const atRisk = new Map<string, Set<string>>();
  const unavailable = new Map<string, Set<ImageName>>();
  const look = oncePerTemplate((pod) => ({ workload: workloadOf(pod), standing: pod.usages.flatMap((usage) => standings(usage, pod, picture)) }));
  for (const pod of picture.pods) {
    if (isOver(pod)) continue;
    const { workload = `${pod.namespace}/${pod.name}`, standing } = look(pod);
    for (const { host, image, hosts } of standing) {
      if (hosts === 'nowhere') add(unavailable, host, image);
      else if (hosts.size === 1) for (const only of hosts) add(atRisk, only, workload);
    }
  }
  return { atRisk: sizes(atRisk), unavailable: sizes(unavailable) };
}

/** Pods of one workload share their parts, as the view of Pods keeps them; so one of them is looked at. */
function oncePerTemplate<T>(look: (pod: Pod) => T): (pod: Pod) => T {
  const ids = new Map<object, number>();
  const looked = new Map<string, T>();
  const idOf = (part: object): number => {
    const id = ids.get(part) ?? ids.size;
    ids.set(part, id);
    return id;
  };
  return (pod) => {
    const key = [pod.namespace, idOf(pod.usages), idOf(pod.annotations), idOf(pod.labels)].join(' ');
    const found = looked.get(key) ?? look(pod);
    looked.set(key, found);
    return found;
  };
}

/** From which hosts an image can be pulled; empty where nobody knows. */
interface Standing {
  readonly image: ImageName;
  /** of the origin */
  readonly host: string;
  readonly hosts: ReadonlySet<string> | 'nowhere';
}

/** It will not start again, whatever registries do. */
function isOver({ phase, isDeleted, isStatic }: Pod): boolean {
  return isDeleted || isStatic || phase === 'Succeeded' || phase === 'Failed';
}

/** None for what the kubelet never pulls, and for what is no reference. */
function standings(usage: Usage, pod: Pod, picture: RiskPicture): readonly Standing[] {
  if (usage.pullPolicy === 'Never') return [];
  const written = originalsOf(pod).get(usage.key) ?? usage.written; // whoever makes it again knows nothing of us
  const ref = originOf({ ...usage, written }, pod, picture.v1ProxyPort)?.ref;
  if (ref === undefined) return [];

  const isRouted = optOutOf(pod, picture.skip, picture.namespaceLabels(pod.namespace)) === undefined;
  const offer = offerTo(pod, isRouted ? picture.rules(pod.namespace) : [], picture.prefixes);
  const places = candidates(ref, offer, { pullPolicy: usage.pullPolicy, honorPrioritiesOnAlways: true });
  const held = places.map((candidate) => ({ host: candidate.ref.host, holds: holdsImage(candidate, picture) }));
  const sure = new Set(held.filter(({ holds }) => holds === 'yes').map(({ host }) => host));
  const isNowhere = held.every(({ holds }) => holds === 'no');
  return [{ image: imageName(ref), host: ref.host, hosts: isNowhere ? 'nowhere' : sure }];
}

/** An origin that nobody has looked at is believed: Pods run from it. */
function holdsImage({ image, place, role }: Candidate, { record }: RiskPicture): Holding {
  const places = record(image)?.places ?? [];
  const holding = holdingOf(role, places.find(({ reference }) => reference === referenceOf(place)), places);
  return role === 'origin' && holding === 'unknown' ? 'yes' : holding;
}

/** Labels that differ between Pods of one workload, or between its revisions. */
const ownLabels = ['pod-template-hash', 'controller-revision-hash', 'pod-template-generation', 'statefulset.kubernetes.io/pod-name', 'apps.kubernetes.io/pod-index', 'controller-uid', 'job-name', 'batch.kubernetes.io/controller-uid', 'batch.kubernetes.io/job-name', 'batch.kubernetes.io/job-completion-index'];

/** Pods with the same labels are one workload; one without any stands for itself: undefined. */
function workloadOf({ namespace, labels }: Pod): string | undefined {
  const shared = Object.entries(labels).filter(([key]) => !ownLabels.includes(key)).sort(([one], [other]) => (one < other ? -1 : 1));
  return shared.length === 0 ? undefined : JSON.stringify([namespace, shared]);
}

function add<T>(found: Map<string, Set<T>>, host: string, item: T): void {
  found.set(host, (found.get(host) ?? new Set()).add(item));
}

function sizes(found: ReadonlyMap<string, ReadonlySet<unknown>>): ReadonlyMap<string, number> {
  return new Map([...found].map(([host, items]) => [host, items.size]));
}
