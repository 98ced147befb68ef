/** Foreign text made fit for people: what a registry says may hold what we sent it. */
import type { Credential } from '../registry.js';

const longestText = 256;
/** what comes later is cut anyway, and the patterns below take longer the more they are given */
const longestRead = 4096;

/**
 * One line, cut to 256 characters, without query strings, tokens, or anything of the credentials given, in whatever
 * form they were sent: as they are, in base64, or escaped.
 *
 * @param sent value of the `Authorization` header of the request
 */
export function redact(text: string, credentials: readonly (Credential | undefined)[] = [], sent?: string): string {
  let line = text;
  for (const secret of secretsOf(credentials, sent)) line = line.replaceAll(secret, '***');
  return line
    .slice(0, longestRead)
    // eslint-disable-next-line no-control-regex -- control characters of foreign text never reach a terminal
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .replace(/\b(Bearer|Basic)\s+[^\s,;"']+/gi, '$1 ***')
    .replace(/(\w+:\/\/)[^\s/@"'<>]*@/g, '$1')
    .replace(/\?[^\s"'<>]*/g, '')
    // long, of upper and lower case and digits: no name, digest or code of a registry looks so, but keys do
    .replace(/(?<![\w+/-])(?=[\w+/-]*[A-Z])(?=[\w+/-]*[a-z])(?=[\w+/-]*\d)[\w+/-]{24,}={0,2}/g, '***')
    .replace(/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, '***')
    .slice(0, longestText)
    .trim();
}

/** The longest first, so that one which holds another goes as a whole. */
function secretsOf(credentials: readonly (Credential | undefined)[], sent: string | undefined): readonly string[] {
  const plain = credentials.flatMap((credential) => [credential?.password, credential?.identityToken, credential?.registryToken, pairOf(credential), sent?.split(' ')[1]]);
  const secrets = new Set(plain.flatMap((secret) => (secret ? formsOf(secret) : [])));
  return [...secrets].sort((one, other) => other.length - one.length);
}

function pairOf(credential: Credential | undefined): string | undefined {
  return credential?.password ? `${credential.username ?? ''}:${credential.password}` : undefined;
}

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), bytes.toString('base64'), bytes.toString('base64url')];
}
