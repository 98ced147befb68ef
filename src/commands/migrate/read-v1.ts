import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import { translateRule } from '../../api/translate.js';
import type { Watched, WatchedKind } from '../../cluster/cluster.js';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { ApiObject } from '../../cluster/kubernetes/objects.js';
import { watchedTypes, type ResourceType } from '../../cluster/kubernetes/resources.js';
import { isFailure } from '../../domain/failure.js';
import { apiGroup } from '../../domain/names.js';
import { podOf } from '../../domain/pod.js';
import type { ImageRecord } from '../../domain/record.js';
import type { CachedImage, V1Setup } from './v1.js';
import type { V1Repository } from './v1-updates.js';
import { parseV1Values, type V1Values } from './v1-values.js';

const v1Type = (kind: string, plural: string): ResourceType => ({ group: apiGroup, version: 'v1alpha1', plural, kind });

/** Kinds of v1, which this one never defines. */
const cachedImageType = v1Type('CachedImage', 'cachedimages');
const repositoryType = v1Type('Repository', 'repositories');

export async function readV1(cluster: Pick<KubernetesCluster, 'objects' | 'list'>, { values, namespace }: Pick<V1Setup, 'values' | 'namespace'>): Promise<V1Setup & { readonly isThere: boolean }> {
  const [images, repositories, pods = [], records, ...resources] = await Promise.all([cluster.objects(cachedImageType), cluster.objects(repositoryType), cluster.objects(watchedTypes.Pod), listed('ImageAvailability', cluster), ...mirrorKinds.map((kind) => listed(kind, cluster))]);
  const rules = resources.flat().map((resource) => translateRule(resource, { installNamespace: namespace }));
  return { cachedImages: (images ?? []).flatMap(cachedImageOf), repositories: (repositories ?? []).flatMap(repositoryOf), values, namespace, gone: goneFrom(records), pods: pods.map((pod) => podOf(pod)), heldPods: pods.filter(isHeld).map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`), rules, records, isThere: images !== undefined };
}

/** Before 1.3, v1 held Pods until it had seen that they go; its later releases neither do so nor let go of those. */
const podFinalizer = 'pod.kuik.enix.io/finalizer';

function isHeld({ metadata }: ApiObject): boolean {
  return (metadata.finalizers ?? []).includes(podFinalizer);
}

const mirrorKinds = ['ClusterImageSetMirror', 'ImageSetMirror'] as const;

/** None before kuik is installed beside v1. */
async function listed<K extends WatchedKind>(kind: K, cluster: Pick<KubernetesCluster, 'list'>): Promise<readonly Watched[K][]> {
  try {
    return await cluster.list(kind);
  } catch (error) {
    if (isFailure(error) && error.code === 'missing') return [];
    throw error;
  }
}

/** v1 looked at an origin when it made a copy, and may never have looked again. */
function goneFrom(records: readonly ImageRecord[]): ReadonlySet<string> {
  const isGone = ({ places }: ImageRecord): boolean => places.some(({ role, state, failure }) => (role === 'origin' && state === 'NotFound') || (failure?.code === 'missing' && failure.side === 'source'));
  return new Set(records.filter(isGone).map(({ image }) => image));
}

/** A field that is absent is false: Go leaves those out. */
function cachedImageOf(object: ApiObject): CachedImage[] {
  const { spec, status } = object as { readonly spec?: { sourceImage?: unknown; retain?: unknown }; readonly status?: { isCached?: unknown; availableUpstream?: unknown } };
  if (typeof spec?.sourceImage !== 'string') return [];
  return [{ sourceImage: spec.sourceImage, retain: spec.retain === true, isCached: status?.isCached === true, isUpstream: status?.availableUpstream === true }];
}

function repositoryOf(object: ApiObject): V1Repository[] {
  const { spec } = object as { readonly spec?: { name?: unknown; updateInterval?: unknown; updateFilters?: unknown } };
  if (typeof spec?.name !== 'string') return [];
  const filters = Array.isArray(spec.updateFilters) ? spec.updateFilters : [];
  return [{ name: spec.name, isUpdated: typeof spec.updateInterval === 'string', updateFilters: filters.filter((filter): filter is string => typeof filter === 'string') }];
}

/** What helm get values writes above them. */
const heading = /^(?:USER-SUPPLIED|COMPUTED) VALUES:\n/;

/** @returns what is wrong with the file, as a text */
export async function readValues(file: string | undefined): Promise<V1Values | string> {
  if (file === undefined) return {};
  try {
    const written = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
    const read: unknown = parse(written.replace(heading, '')) ?? {};
    if (typeof read !== 'object' || Array.isArray(read)) return `--values ${file}: no values; write what helm get values prints`;
    const values = parseV1Values(read);
    return typeof values === 'string' ? `--values ${file}: ${values}` : values;
  } catch (error) {
    return `--values ${file}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
