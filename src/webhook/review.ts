/** What an API server asks, as far as we read it. @see https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/ */
export interface Review {
  readonly uid: string;
  readonly operation: 'CREATE' | 'UPDATE' | 'other';
  /** empty for Pods themselves, `ephemeralcontainers` for what `kubectl debug` adds */
  readonly subResource: string;
  /** the request's namespace: it counts, not the object's */
  readonly namespace: string;
  readonly name: string;
  /** nothing may be written */
  readonly dryRun: boolean;
  /** the object under review, untrusted */
  readonly object: unknown;
  readonly oldObject: unknown;
}

/** There is no way to say no. */
export interface Allowed {
  readonly uid: string;
  readonly allowed: true;
  readonly patchType?: 'JSONPatch';
  /** base64 of the JSON patch */
  readonly patch?: string;
  readonly warnings?: readonly string[];
}

export interface ReviewAnswer {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly response: Allowed;
}

/** One operation of a JSON patch (RFC 6902); the two that cannot fail on a path of the object under review. */
export interface Operation {
  readonly op: 'add' | 'replace';
  /** JSON pointer, RFC 6901 */
  readonly path: string;
  readonly value: unknown;
}

/** The API server shows longer warnings cut. */
const longestWarning = 256;

/**
 * Reads an AdmissionReview leniently: a field of a wrong type is as if absent.
 *
 * @returns undefined when there is no `uid` to answer to
 */
export function readReview(body: unknown): Review | undefined {
  const request = field(body, 'request');
  const uid = field(request, 'uid');
  if (typeof uid !== 'string' || uid === '') return undefined;

  return {
    uid,
    operation: operation(field(request, 'operation')),
    subResource: text(field(request, 'subResource')),
    namespace: text(field(request, 'namespace')),
    name: text(field(request, 'name')),
    // a dry run that cannot be read is better taken for one than written for real
    dryRun: ![undefined, null, false].includes(field(request, 'dryRun') as undefined),
    object: field(request, 'object'),
    oldObject: field(request, 'oldObject'),
  };
}

export function allow(uid: string, patch: readonly Operation[] = [], warnings: readonly string[] = []): ReviewAnswer {
  const response: Allowed = {
    uid,
    allowed: true,
    ...(patch.length > 0 && { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }),
    ...(warnings.length > 0 && { warnings: warnings.map((warning) => warning.slice(0, longestWarning)) }),
  };
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
}

function operation(value: unknown): Review['operation'] {
  return value === 'CREATE' || value === 'UPDATE' ? value : 'other';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** An own property of an object; undefined for anything else. */
export function field(object: unknown, name: string): unknown {
  return typeof object === 'object' && object !== null && Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined;
}
