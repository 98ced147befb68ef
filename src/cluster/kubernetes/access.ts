import type { ObjectRef } from '../cluster.js';
import type { Requests } from './requests.js';
import type { ResourceType } from './resources.js';

/** Who sent a token, and whether they may. */
export type AccessReview = { readonly verdict: 'allowed' | 'forbidden'; readonly user: string } | { readonly verdict: 'unauthenticated' };

const tokenReviewType: ResourceType = { group: 'authentication.k8s.io', version: 'v1', plural: 'tokenreviews', kind: 'TokenReview' };
const accessReviewType: ResourceType = { group: 'authorization.k8s.io', version: 'v1', plural: 'subjectaccessreviews', kind: 'SubjectAccessReview' };

const ownReviewType: ResourceType = { group: 'authorization.k8s.io', version: 'v1', plural: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview' };

interface User {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Asks the API server who has a token, and whether a role lets them `get` a path that is no resource.
 *
 * @param path such as `/metrics`
 * @throws Failure side `cluster`
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
 */
export async function reviewAccess(requests: Requests, token: string, path: string): Promise<AccessReview> {
  const user = await userOf(requests, token);
  if (user?.username === undefined) return { verdict: 'unauthenticated' };

  const { username, uid, groups, extra } = user;
  const spec = { user: username, uid, groups, extra, nonResourceAttributes: { path, verb: 'get' } };
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
  const { status } = (await requests.json({ verb: 'create', type: accessReviewType, body })) as { readonly status?: { readonly allowed?: boolean } };
  return { verdict: status?.allowed === true ? 'allowed' : 'forbidden', user: username };
}

/** What somebody wants to do; in all namespaces, and with any object, unless told. */
export interface Deed {
  readonly verb: string;
  /** empty for the core group */
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** Whether whoever asks may do it. @throws Failure side `cluster` */
export async function mayI(requests: Requests, deed: Deed): Promise<boolean> {
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: deed } };
  const { status } = (await requests.json({ verb: 'create', type: ownReviewType, body })) as { readonly status?: { readonly allowed?: boolean } };
  return status?.allowed === true;
}

/** Whether a ServiceAccount may do it. @throws Failure `denied` to whom may not ask */
export async function mayAccount(requests: Requests, { namespace, name }: ObjectRef, deed: Deed): Promise<boolean> {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  const spec = { user: `system:serviceaccount:${namespace}:${name}`, groups, resourceAttributes: deed };
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
  const { status } = (await requests.json({ verb: 'create', type: accessReviewType, body })) as { readonly status?: { readonly allowed?: boolean } };
  return status?.allowed === true;
}

async function userOf(requests: Requests, token: string): Promise<User | undefined> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
  const { status } = (await requests.json({ verb: 'create', type: tokenReviewType, body })) as { readonly status?: { readonly authenticated?: boolean; readonly user?: User } };
  return status?.authenticated === true ? status.user : undefined;
}
