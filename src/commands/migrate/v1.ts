/**
 * What replaces a v1 set-up. Pure: from what was read to what is printed.
 *
 * v1 kept every image of every rewritten Pod in a registry of its own, and sent Pods to a proxy on their node. Here a
 * rule says the same: mirror everything but what v1 ignored, to a registry of yours, before the origin.
 */
import { imageName, parseImageRef } from '../../domain/image-ref.js';
import { apiVersion, labels } from '../../domain/names.js';
import type { ImageRecord } from '../../domain/record.js';
import type { Mirror, Rule } from '../../domain/rule.js';
import type { Pod } from '../../domain/usage.js';
import { usualV1ProxyPort } from '../../domain/v1-proxy.js';
import { cliVersion } from '../command-line.js';
import type { MigrationPlan } from '../documents/migrate.js';
import { anywhere, packed, usable } from './v1-filters.js';
import { placeImages } from './v1-places.js';
import { updatedImages, type V1Repository } from './v1-updates.js';
import type { V1Values } from './v1-values.js';

/** A `CachedImage`, as far as it counts. */
export interface CachedImage {
  /** as a Pod wrote it */
  readonly sourceImage: string;
  readonly retain: boolean;
  readonly isCached: boolean;
  /** the image was at its origin when v1 looked: when it made the copy, and later only where it kept it up to date */
  readonly isUpstream: boolean;
}

export interface V1Setup {
  readonly cachedImages: readonly CachedImage[];
  readonly repositories: readonly V1Repository[];
  readonly values: V1Values;
  /** where v1 is installed: it left its own namespace alone */
  readonly namespace: string;
  /** images whose origin no longer has them, as kuik found beside v1 */
  readonly gone: ReadonlySet<string>;
  readonly pods: readonly Pick<Pod, 'namespace' | 'usages' | 'labels' | 'annotations'>[];
  /** `namespace/name` of Pods that a v1 before 1.3 holds */
  readonly heldPods: readonly string[];
  /** of kuik, where it is installed beside v1 */
  readonly rules: readonly Rule[];
  readonly records: readonly ImageRecord[];
}

/** Where the copies are to be. */
export interface V1Target {
  readonly registry: string;
  readonly path: string;
  readonly layout: Mirror['layout'];
  readonly secret?: { readonly namespace: string; readonly name: string };
}

type Remark = MigrationPlan['remarks'][number];

const usualExpiryDays = 30;
const ruleName = 'global-mirror';

export function planV1(setup: V1Setup, target: V1Target): MigrationPlan {
  const remarks: Remark[] = [];
  const { cachedImages, values, pods } = setup;
  const port = values.proxy?.hostPort ?? usualV1ProxyPort;
  const placement = placeImages(setup, target);
  const plan = {
    resources: rulesFor(setup, target, remarks),
    values: valuesFor(setup, remarks),
    cached: cachedImages.filter(({ isCached }) => isCached).length,
    onlyInV1: placement.placed,
    retained: cachedImages.filter(({ retain }) => retain).flatMap(({ sourceImage }) => parsedName(sourceImage) ?? []),
    pods: {
      rewritten: pods.filter(({ usages }) => usages.some(({ written }) => written.startsWith(`localhost:${port}/`))).length,
      optedOut: pods.filter((pod) => pod.labels[labels.v1Policy] === 'ignore').length,
    },
  };
  remarks.push(...placement.remarks, ...valueRemarks(values), ...heldRemarks(setup));
  return { apiVersion: cliVersion, kind: 'MigrationPlan', ...plan, remarks };
}

function rulesFor({ repositories, cachedImages, values }: V1Setup, target: V1Target, remarks: Remark[]): MigrationPlan['resources'] {
  const { ignoredImages = [], acceptedImages = [] } = values.controllers?.webhook ?? {};
  const sourceImages = cachedImages.map(({ sourceImage }) => sourceImage);
  const include = usable(acceptedImages, 'controllers.webhook.acceptedImages', remarks, anywhere);
  const exclude = usable(ignoredImages, 'controllers.webhook.ignoredImages', remarks, anywhere);
  const updated = usable(repositories.flatMap((repository) => updatedImages(repository, sourceImages, remarks)), 'Repository spec.updateFilters', remarks);
  const spec = specFor(values, target);
  const images = (patterns: readonly string[], field: string): object[] => packed(patterns, field, remarks).map((image) => ({ image }));
  const isEverything = acceptedImages.length === 0;
  const isNothing = !isEverything && include.length === 0;
  if (isNothing) remarks.push({ what: `controllers.webhook.acceptedImages: none of its patterns could be taken over, so ${ruleName} is suspended: without any it would mirror everything`, next: `write what v1 accepted into spec.filter.include of ${ruleName}, then take spec.suspend out` });
  const rule = (name: string, included: readonly string[], excluded: readonly string[], more: object) => ({
    apiVersion,
    kind: 'ClusterImageSetMirror',
    metadata: { name },
    spec: { ...spec, filter: { ...(included.length === 0 ? {} : { include: images(included, `${name} spec.filter.include`) }), ...(excluded.length === 0 ? {} : { exclude: images(excluded, `${name} spec.filter.exclude`) }) }, ...more },
  });
  return [
    rule(ruleName, isEverything ? ['.+'] : include, [...exclude, ...updated], isNothing ? { suspend: true } : {}),
    // two rules for one destination agree on the careful one: what follows its origin is taken out of the other
    ...(updated.length === 0 ? [] : [rule(`${ruleName}-updated`, updated, exclude, { drift: 'sync' })]),
  ];
}

function specFor({ cachedImagesExpiryDelay: days = usualExpiryDays, architectures }: V1Values, { registry, path, layout, secret }: V1Target): object {
  const platforms = architectures?.map((architecture) => ({ os: 'linux', architecture }));
  return {
    // before the origin, as v1's proxy was
    priority: -1,
    cleanup: { enabled: true, retention: `${days * 24}h` },
    mirrors: [{ registry, path, ...(layout === 'path' ? {} : { layout }), ...(secret === undefined ? {} : { credentialSecret: { name: secret.name, namespace: secret.namespace } }), ...(platforms === undefined || platforms.length === 0 ? {} : { platforms }) }],
  };
}

/** Its chart left these alone whatever the values said. */
const alwaysIgnored = 'kube-system';

function valuesFor({ values, namespace }: V1Setup, remarks: Remark[]): Record<string, unknown> {
  const ignored = new Set([alwaysIgnored, namespace, ...(values.controllers?.webhook?.ignoredNamespaces ?? [])]);
  const { insecureRegistries = [], proxy, controllers } = values;
  const port = proxy?.hostPort;
  const env = (controllers?.env ?? []).filter(({ name = '' }) => /^(?:https?|no)_proxy$/i.test(name));
  const hosts = Object.fromEntries(insecureRegistries.map((host) => [host, { insecureSkipVerify: true }]));
  if (insecureRegistries.length > 0) remarks.push({ what: `insecureRegistries: ${insecureRegistries.join(', ')}: any certificate is accepted there`, next: 'for one that speaks plain HTTP write plainHTTP: true instead; better, give it a caFile' });
  return {
    configuration: {
      // names are exact in v1, and patterns here
      skipNamespaces: [...ignored].map((name) => name.replace(/[.+]/g, '\\$&')),
      ...(insecureRegistries.length === 0 ? {} : { registries: { items: hosts } }),
      ...(port === undefined || port === usualV1ProxyPort ? {} : { migration: { v1ProxyPort: port } }),
    },
    ...(env.length === 0 ? {} : { manager: { env } }),
  };
}

function valueRemarks({ controllers, rootCertificateAuthorities }: V1Values): Remark[] {
  const { ignoredImages = [], acceptedImages = [], ignorePullPolicyAlways, objectSelector } = controllers?.webhook ?? {};
  const anchored = [...ignoredImages, ...acceptedImages].filter((pattern) => pattern.startsWith('^'));
  return [
    { what: 'pinned images (name@sha256:...), which v1 left alone, are mirrored and may be rewritten', next: 'nothing to do; an exclude of .*@sha256:.* keeps them out' },
    ...(anchored.length === 0 ? [] : [{ what: `${anchored.join(', ')}: v1 matched what the Pod says, here the full name is matched, such as docker.io/library/nginx:1.27`, next: 'write the full name behind the ^' }]),
    ...(ignorePullPolicyAlways !== false ? [{ what: 'ignorePullPolicyAlways: containers that always pull were left alone; here they are mirrored, and the origin is asked first', next: 'nothing to do: while the origin answers, they pull from it as before' }] : []),
    ...((objectSelector?.matchExpressions ?? []).length === 0 ? [] : [{ what: 'controllers.webhook.objectSelector chose Pods by labels', next: 'write the same as label items into spec.filter.include of the rule, such as {label: "cache in (yes)"}' }]),
    ...(rootCertificateAuthorities?.secretName === undefined ? [] : [{ what: `rootCertificateAuthorities: Secret ${rootCertificateAuthorities.secretName} holds authorities for all registries (${(rootCertificateAuthorities.keys ?? []).join(', ')})`, next: 'mount it with manager.extraVolumes, and name its files as configuration.registries.items.<host>.caFile for each registry' }]),
  ];
}

function heldRemarks({ heldPods }: V1Setup): Remark[] {
  if (heldPods.length === 0) return [];
  const what = `${heldPods.join(', ')}: held by a finalizer of v1 before 1.3, which nobody takes off: deleted, ${heldPods.length === 1 ? 'it' : 'they'} would never go`;
  return [{ what, next: `kubectl patch pod --namespace NAMESPACE NAME --type merge --patch '{"metadata":{"finalizers":null}}'` }];
}

function parsedName(text: string): string | undefined {
  const ref = parseImageRef(text);
  return ref && imageName(ref);
}
