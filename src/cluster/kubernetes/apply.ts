import type { FieldManager } from '../../domain/names.js';
import type { Requests } from './requests.js';
import { apiVersionOf, type Address, type ResourceType } from './resources.js';

export interface ApplyOptions {
  /** takes fields over from other managers; only for fields that are ours alone */
  readonly force?: boolean;
  /** refuses with `conflict` when the object has changed since this version was read */
  readonly resourceVersion?: string;
  /** the API server checks it, and stores nothing */
  readonly dryRun?: boolean;
}

/** What an apply states, beside who it is about: metadata and the parts below it. */
export interface Applied {
  readonly metadata?: object;
  readonly [part: string]: unknown;
}

/**
 * Server-side apply: the object shall have these fields, owned by this manager; fields it applied before and does
 * not name now are removed. Creates the object when it is absent, except for sub-resources.
 *
 * @returns the object afterwards
 * @throws Failure side `cluster`: `conflict` when somebody else owns a field, or the version is old
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function apply(requests: Requests, type: ResourceType, at: Address, manager: FieldManager, applied: Applied, options: ApplyOptions = {}): Promise<unknown> {
  const { resourceVersion, force = false, dryRun = false } = options;
  const metadata = { ...applied.metadata, name: at.name, namespace: at.namespace, resourceVersion };
  return requests.json({
    ...at,
    verb: 'patch',
    type,
    query: { fieldManager: manager, force, ...(dryRun ? { dryRun: 'All' } : {}) },
    body: { ...applied, apiVersion: apiVersionOf(type), kind: type.kind, metadata },
    contentType: 'application/apply-patch+yaml', // JSON is YAML
  });
}

/**
 * JSON merge patch, for the few fields where we must remove what another manager wrote, or add beside what we
 * wrote before: null removes.
 *
 * @see RFC 7396
 */
export function merge(requests: Requests, type: ResourceType, at: Address, manager: FieldManager, patch: object, { dryRun = false }: { readonly dryRun?: boolean } = {}): Promise<unknown> {
  const query = { fieldManager: manager, ...(dryRun ? { dryRun: 'All' } : {}) };
  return requests.json({ ...at, verb: 'patch', type, query, body: patch, contentType: 'application/merge-patch+json' });
}
