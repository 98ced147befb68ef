import { isFailure } from '../../domain/failure.js';
import { fieldManagers, labels, type FieldManager } from '../../domain/names.js';
import type { SecretRef } from '../../domain/rule.js';
import type { AppliedSecret, Secret } from '../../domain/secret.js';
import { apply } from './apply.js';
import type { Requests } from './requests.js';
import { apiVersionOf, secretType as type } from './resources.js';

interface StoredSecret {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly type?: string;
  /** base64 */
  readonly data?: Readonly<Record<string, string>> | null;
}

export async function readSecret(requests: Requests, ref: SecretRef): Promise<Secret | undefined> {
  const object = (await requests.jsonOrNothing({ ...ref, verb: 'get', type })) as StoredSecret | undefined;
  if (object === undefined) return undefined;

  const { namespace, name, uid, resourceVersion, labels = {}, annotations = {} } = object.metadata;
  const data = Object.entries(object.data ?? {}).map(([key, value]) => [key, new Uint8Array(Buffer.from(value, 'base64'))]);
  return { namespace, name, uid, resourceVersion, type: object.type ?? 'Opaque', data: Object.fromEntries(data) as Secret['data'], labels, annotations };
}

/**
 * A copy without force, so that a Secret which happens to have our name is not overwritten. Copies that v2 made are
 * ours: they carry the labels of the same owner, and only then are fields taken over. The Secret of our authority is ours alone,
 * whoever edited it.
 */
export async function applySecret(requests: Requests, secret: AppliedSecret, manager: FieldManager): Promise<void> {
  const { namespace, name, version: resourceVersion } = secret;
  try {
    await apply(requests, type, { namespace, name }, manager, objectOf(secret), { force: manager === fieldManagers.certificates, resourceVersion });
  } catch (error) {
    if (!isFailure(error) || error.code !== 'conflict' || !(await isOurs(requests, secret))) throw error;
    await apply(requests, type, { namespace, name }, manager, objectOf(secret), { force: true, resourceVersion });
  }
}

export async function createSecret(requests: Requests, secret: AppliedSecret): Promise<'created' | 'present'> {
  const { namespace, name } = secret;
  const object = objectOf(secret);
  const body = { ...object, apiVersion: apiVersionOf(type), kind: type.kind, metadata: { ...object.metadata, namespace, name } };
  try {
    await requests.json({ verb: 'create', type, namespace, body });
    return 'created';
  } catch (error) {
    if (isFailure(error) && error.code === 'conflict') return 'present';
    throw error;
  }
}

export async function deleteSecret(requests: Requests, ref: SecretRef, resourceVersion?: string): Promise<void> {
  const body = resourceVersion === undefined ? undefined : { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { resourceVersion } };
  await requests.jsonOrNothing({ ...ref, verb: 'delete', type, body });
}

function objectOf({ data, type: secretType, labels, annotations, owner }: AppliedSecret): { metadata: object; type: string; data: object } {
  const encoded = Object.entries(data).map(([key, bytes]) => [key, Buffer.from(bytes).toString('base64')]);
  return {
    metadata: { labels, annotations, ...(owner === undefined ? {} : { ownerReferences: [owner] }) },
    type: secretType,
    data: Object.fromEntries(encoded) as object,
  };
}

/** Of the same owner: the copy of another rule is as little ours to change as a user's Secret. */
async function isOurs(requests: Requests, secret: AppliedSecret): Promise<boolean> {
  const owner = secret.labels?.[labels.ownerUid];
  const known = await readSecret(requests, secret);
  return owner !== undefined && known?.labels[labels.ownerUid] === owner;
}
