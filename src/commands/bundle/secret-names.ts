/** What a field, a variable or a flag is called tells whether its value is a secret, since a password looks like anything. */

const secretName = /passw|passphrase|pwd|(?:^|[-_.])pass$|token|secret|credential|auth(?:orization)?$|dockerconfig|cookie/i;
/** Names that only say where a secret is, or how it is called. */
const namingName = /(?:names?|refs?|files?|paths?|namespaces?|keys?|secrets|existing[-_]?secret|policy|type|expiry|version|seconds)$/i;
/** Keys that are secrets themselves; a `passwordKey` tells where in a Secret the password is. */
const secretKey = /(?:private|access|api|secret|encryption|signing|master|shared|account|session|cipher|hmac|ssh)[-_]?keys?(?:[-_]?id)?$/i;

export function isSecret(name: string): boolean {
  return secretKey.test(name) || (secretName.test(name) && !namingName.test(name));
}

/** Of what is called a secret and has fields: those that say where one is, and whose. */
export function isPlainWithin(name: string): boolean {
  return !isSecret(name) && (namingName.test(name) || /^(?:apiVersion|host|kind|optional|registry|server|uid|url|user)$/i.test(name));
}

/** Names whose values have several parts, with blanks between. */
export function isHeader(name: string): boolean {
  return /auth(?:orization)?$|cookie$/i.test(name);
}
