/**
 * Which credentials of a list of Secrets fit a repository: docker config Secrets read as the kubelet reads them,
 * because the kubelet's behaviour is the one users see.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/master/pkg/credentialprovider/keyring.go
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Secret } from '../domain/secret.js';
import type { CredentialId } from '../domain/availability.js';
import type { Repository } from '../domain/image-ref.js';
import type { SecretRef } from '../domain/rule.js';
import { matchesGlob } from './glob.js';
import type { Credential, Identity } from './registry.js';

/** What is read of a Secret. */
export type DockerSecret = Pick<Secret, 'namespace' | 'name' | 'uid' | 'resourceVersion' | 'type' | 'data'>;

/** Why a Secret, or one item of it, offers nothing; the message holds no content of the Secret. */
export interface SecretProblem {
  readonly secret: SecretRef;
  readonly message: string;
}

/** Docker Hub goes by three names; credentials are found under each. */
const hubHosts: readonly string[] = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

interface Item {
  /** `host[:port][/path]`, the host perhaps a pattern */
  readonly key: string;
  readonly credential: Credential;
}

/**
 * The credentials that fit a repository, in the order they are tried: longer keys first, then the order of
 * the Secrets. Empty means anonymous. Unusable Secrets offer nothing; `secretProblems` says why.
 *
 * Keys of all Secrets given are sorted together, as the kubelet does with the Secrets of a Pod. To try one
 * Secret before the others, join two keyrings.
 */
export function keyring(secrets: readonly DockerSecret[], repository: Repository): Identity {
  const items = secrets.flatMap((secret) => readSecret(secret).items);
  items.sort((one, other) => (one.key === other.key ? 0 : one.key < other.key ? 1 : -1));

  for (const host of namesOf(repository.host)) {
    const fitting = items.filter((item) => fits(item.key, host, repository.path));
    if (fitting.length > 0) return fitting.map((item) => item.credential);
  }
  return [];
}

/** What is wrong with docker config Secrets: one problem per Secret, or per item that does not decode. */
export function secretProblems(secrets: readonly DockerSecret[]): readonly SecretProblem[] {
  return secrets.flatMap((secret) => readSecret(secret).problems.map((message) => ({ secret: { namespace: secret.namespace, name: secret.name }, message })));
}

/** Whether a Secret offers no credential for any registry. */
export function offersNothing(secret: DockerSecret): boolean {
  return readSecret(secret).items.length === 0;
}

/** Names a Secret's version without its content: 12 hexadecimal digits. */
export function credentialId(secret: Pick<DockerSecret, 'namespace' | 'name' | 'uid' | 'resourceVersion'>): CredentialId {
  const version = JSON.stringify([secret.namespace, secret.name, secret.uid, secret.resourceVersion]);
  return createHash('sha256').update(version).digest('hex').slice(0, 12);
}

/** The host itself first, so that an exact `docker.io` wins over the other names of the Hub. */
function namesOf(host: string): readonly string[] {
  return hubHosts.includes(host) ? [host, ...hubHosts.filter((name) => name !== host)] : [host];
}

function fits(key: string, host: string, path: string): boolean {
  const slash = key.indexOf('/');
  const keyHost = slash === -1 ? key : key.slice(0, slash);
  const keyPath = slash === -1 ? '' : key.slice(slash);
  // a plain prefix, not path segments: `reg.io/team` also fits `reg.io/team2`
  return hostFits(keyHost, host) && `/${path}`.startsWith(keyPath);
}

function hostFits(pattern: string, host: string): boolean {
  const [patternName, patternPort] = splitPort(pattern);
  const [name, port] = splitPort(host);
  if (patternPort !== port) return false;

  const wanted = patternName.split('.');
  const labels = name.split('.');
  return wanted.length === labels.length && wanted.every((label, index) => matchesGlob(label, labels[index]!));
}

function splitPort(host: string): [name: string, port: string] {
  // the brackets of an IPv6 literal are no class of a pattern
  const bracketed = /^\[([0-9a-fA-F:]+)\](?::([0-9]*))?$/.exec(host);
  if (bracketed) return [bracketed[1]!, bracketed[2] ?? ''];
  const colon = host.lastIndexOf(':');
  return colon === -1 ? [host, ''] : [host.slice(0, colon), host.slice(colon + 1)];
}

const Text = z.string();
const Entry = z.object({
  username: Text.optional(),
  password: Text.optional(),
  auth: Text.optional(),
  identitytoken: Text.optional(),
  registrytoken: Text.optional(),
});
type Entry = z.infer<typeof Entry>;

const Entries = z.record(Text, z.unknown());
const forms = {
  'kubernetes.io/dockerconfigjson': { key: '.dockerconfigjson', door: z.object({ auths: Entries }).transform((file) => file.auths) },
  'kubernetes.io/dockercfg': { key: '.dockercfg', door: Entries },
} as const;

interface Contents {
  readonly items: readonly Item[];
  readonly problems: readonly string[];
}

function readSecret(secret: DockerSecret): Contents {
  if (!Object.hasOwn(forms, secret.type)) return unusable(`type ${secret.type} holds no docker credentials; use kubernetes.io/dockerconfigjson`);
  const form = forms[secret.type as keyof typeof forms];
  const bytes = secret.data[form.key];
  if (bytes === undefined) return unusable(`key ${form.key} is missing`);

  const parsed = form.door.safeParse(parseJson(bytes));
  return parsed.success ? readEntries(parsed.data, credentialId(secret)) : unusable(`key ${form.key} is no docker configuration`);
}

function unusable(problem: string): Contents {
  return { items: [], problems: [problem] };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function readEntries(entries: Readonly<Record<string, unknown>>, id: CredentialId): Contents {
  const items: Item[] = [];
  const problems: string[] = [];
  for (const [location, value] of Object.entries(entries)) {
    const entry = Entry.safeParse(value);
    const credential = entry.success ? readCredential(entry.data, id) : undefined;
    if (credential === undefined) problems.push(`the item for ${location.slice(0, 128)} does not decode`);
    else items.push({ key: keyOf(location), credential });
  }
  return { items, problems };
}

/** `auth`, when present, wins over `username` and `password`, as in the kubelet; tokens are ours to accept. */
function readCredential(entry: Entry, id: CredentialId): Credential | undefined {
  const pair = entry.auth ? decodePair(entry.auth) : { username: entry.username, password: entry.password };
  const tokens = {
    ...(entry.identitytoken ? { identityToken: entry.identitytoken } : {}),
    ...(entry.registrytoken ? { registryToken: entry.registrytoken } : {}),
  };
  if (Object.keys(tokens).length > 0) return { id, ...pair, ...tokens };
  if (pair === undefined || (!pair.username && !pair.password)) return undefined;
  // docker stores an identity token as the password of the user `<token>`
  return pair.username === '<token>' ? { id, ...(pair.password ? { identityToken: pair.password } : {}) } : { id, ...pair };
}

function decodePair(auth: string): { username: string; password: string } | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(auth.trim())) return undefined;
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  return { username: text.slice(0, colon), password: trimNuls(text.slice(colon + 1)) };
}

function trimNuls(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
  return text.slice(0, end);
}

/** `https://index.docker.io/v1/` -> `index.docker.io`: without scheme, API version and bare slash. */
function keyOf(location: string): string {
  const schemeless = location.replace(/^https?:\/\//, '');
  const slash = schemeless.indexOf('/');
  if (slash === -1) return schemeless;
  const path = schemeless.slice(slash).replace(/^\/v[12]\//, '/');
  return schemeless.slice(0, slash) + (path === '/' ? '' : path);
}
