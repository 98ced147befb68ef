import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { ApiObject } from '../../cluster/kubernetes/objects.js';
import type { ResourceType } from '../../cluster/kubernetes/resources.js';
import { apiGroup } from '../../domain/names.js';
import type { CachedImage, V1Repository, V1Setup, V1Values } from './v1.js';

const v1Type = (kind: string, plural: string): ResourceType => ({ group: apiGroup, version: 'v1alpha1', plural, kind });

/** Kinds of v1, which this one never defines. */
const cachedImageType = v1Type('CachedImage', 'cachedimages');
const repositoryType = v1Type('Repository', 'repositories');

export async function readV1(cluster: Pick<KubernetesCluster, 'objects' | 'list'>, values: V1Values): Promise<V1Setup & { readonly isThere: boolean }> {
  const [images, repositories, pods] = await Promise.all([cluster.objects(cachedImageType), cluster.objects(repositoryType), cluster.list('Pod')]);
  return { cachedImages: (images ?? []).flatMap(cachedImageOf), repositories: (repositories ?? []).flatMap(repositoryOf), values, pods, isThere: images !== undefined };
}

/** A field that is absent is false: Go leaves those out. */
function cachedImageOf(object: ApiObject): CachedImage[] {
  const { spec, status } = object as { readonly spec?: { sourceImage?: unknown; retain?: unknown }; readonly status?: { isCached?: unknown; availableUpstream?: unknown } };
  if (typeof spec?.sourceImage !== 'string') return [];
  return [{ sourceImage: spec.sourceImage, retain: spec.retain === true, isCached: status?.isCached === true, isUpstream: status?.availableUpstream === true }];
}

function repositoryOf(object: ApiObject): V1Repository[] {
  const { spec } = object as { readonly spec?: { name?: unknown; updateFilters?: unknown } };
  if (typeof spec?.name !== 'string') return [];
  const filters = Array.isArray(spec.updateFilters) ? spec.updateFilters : [];
  return [{ name: spec.name, updateFilters: filters.filter((filter): filter is string => typeof filter === 'string') }];
}

/** @returns what is wrong with the file, as a text */
export async function readValues(file: string | undefined): Promise<V1Values | string> {
  if (file === undefined) return {};
  try {
    const read: unknown = parse(file === '-' ? await text(process.stdin) : await readFile(file, 'utf8'));
    if (read === null) return {};
    return typeof read === 'object' && !Array.isArray(read) ? (read) : `--values ${file}: no values; write what helm get values prints`;
  } catch (error) {
    return `--values ${file}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
