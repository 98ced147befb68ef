/**
 * Takes out what nobody else may read, before it leaves the cluster. Two ways at once: by the names of fields, since a
 * password looks like anything, and by shape, since a log has no fields.
 */

export const gap = '(redacted)';

/** Names of fields whose values are secrets. */
const secretName = /passw|passphrase|pwd|token|secret|credential|api[-_]?key|private[-_]?key|access[-_]?key|auth(?:orization)?$|dockerconfig|cookie/i;
/** Fields that only name where a secret is, or how it is called. */
const namingName = /(?:name|ref|file|path|namespace|keys?|secrets|policy|type|expiry|version|seconds)$/i;
const secretKeys = /(?:private|access|api)[-_]?key$/i;

/** Annotations that repeat the whole object, secrets included. */
const copies: readonly string[] = ['kubectl.kubernetes.io/last-applied-configuration'];

/** An object as in a manifest, without secrets and without what only the API server needs. */
export function redactedObject(value: unknown): unknown {
  return clean(value, undefined);
}

function clean(value: unknown, name: string | undefined): unknown {
  if (typeof value === 'string') return name !== undefined && isSecret(name) ? gap : redactedText(value);
  if (Array.isArray(value)) return value.map((item: unknown) => clean(item, name));
  if (typeof value !== 'object' || value === null) return value;
  const named = namedValue(value);
  const entries = Object.entries(value).filter(([key]) => key !== 'managedFields' && !copies.includes(key));
  // what is called a secret and holds fields names a Secret: its fields are judged one by one
  return Object.fromEntries(entries.map(([key, item]) => [key, key === 'value' && named !== undefined && isSecret(named) ? gap : clean(item, key)]));
}

/** An entry of `env`, or its like. */
function namedValue(object: object): string | undefined {
  return 'name' in object && typeof object.name === 'string' && 'value' in object ? object.name : undefined;
}

function isSecret(name: string): boolean {
  return secretName.test(name) && (!namingName.test(name) || secretKeys.test(name));
}

/** A text of any length and any number of lines: a log, a file inside a ConfigMap. */
export function redactedText(text: string): string {
  return text
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, gap)
    .replace(/\b(Bearer|Basic)(\s+)[^\s,;"'\\]+/gi, `$1$2${gap}`)
    .replace(/(\w+:\/\/)[^\s/@"'<>]*@/g, `$1${gap}@`)
    // me:password@registry; nginx:1.27@sha256:... is an image
    .replace(/\b[\w.+-]+:[^\s:/@"'<>]+@(?!sha\d+:)(?=[\w-]+[.:/])/g, `${gap}@`)
    .replace(/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, gap)
    .replace(/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bglpat-[\w-]{16,}|\bdckr_pat_[\w-]{16,}/g, gap)
    .replace(assignment, (whole: string, front: string, name: string, between: string, quote: string) => (isSecret(name) ? `${front}${name}${between}${quote}${gap}${quote}` : whole))
    .replace(/([?&])[\w.-]+=[^\s&"'<>\\]+/g, `$1${gap}`);
}

/** `password: x`, `"token":"x"`, `--api-key=x`: a name, what stands between, and a value, quoted or not. */
const assignment = /(^|[\s"'{,;?&-])([A-Za-z.][\w.-]*)((?:\\?["'])?[ \t]*[:=][ \t]*)(\\?["']?)(?![\s{[]|\(redacted\))[^\s"',;&}\\]+\4/gm;
