import { isFailure } from '../../domain/failure.js';
import { fieldManagers } from '../../domain/names.js';
import type { ConfigMap, ObjectRef } from '../cluster.js';
import { apply, merge } from './apply.js';
import type { Requests } from './requests.js';
import { configMapType as type } from './resources.js';

interface StoredConfigMap {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>> | null;
}

export async function readConfigMap(requests: Requests, { namespace, name }: ObjectRef): Promise<ConfigMap | undefined> {
  const object = (await requests.jsonOrNothing({ namespace, name, verb: 'get', type })) as StoredConfigMap | undefined;
  return object === undefined ? undefined : { namespace, name, data: object.data ?? {}, annotations: object.metadata.annotations ?? {} };
}

/** A merge, because several of us write keys of their own; made first where it is not there yet. */
export async function setConfigMap(requests: Requests, { namespace, name }: ObjectRef, data: Readonly<Record<string, string>>): Promise<void> {
  const at = { namespace, name };
  try {
    await merge(requests, type, at, fieldManagers.report, { data });
  } catch (error) {
    if (!isFailure(error) || error.code !== 'missing') throw error;
    await apply(requests, type, at, fieldManagers.report, { data }, { force: true });
  }
}

export async function annotateConfigMap(
  requests: Requests,
  { namespace, name }: ObjectRef,
  annotations: Readonly<Record<string, string | undefined>>,
  options: { readonly dryRun?: boolean } = {},
): Promise<void> {
  const values = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key, value ?? null]));
  await merge(requests, type, { namespace, name }, fieldManagers.cli, { metadata: { annotations: values } }, options);
}
