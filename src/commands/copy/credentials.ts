import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { DockerConfigFile } from '../../config/docker.js';
import { dockerHub, type Repository } from '../../domain/image-ref.js';
import { keyring, type DockerSecret } from '../../registry/keyring.js';
import type { Credential, Identity } from '../../registry/registry.js';
import type { HelperAnswer } from './credential-helper.js';

/** Asks a helper for the credentials of a host; undefined when it knows none. */
export type AskHelper = (helper: string, host: string) => Promise<HelperAnswer | undefined>;

export interface CredentialsOptions {
  readonly ask: AskHelper;
  readonly warn: (message: string) => void;
}

/** What of the file is ours to read; the rest is the keyring's. */
const Helpers = z.object({ credsStore: z.string().optional(), credHelpers: z.record(z.string(), z.string()).optional() });
type Helpers = z.infer<typeof Helpers>;

/** Docker Hub's credentials are kept under the address of its first API. */
const hubServer = 'https://index.docker.io/v1/';

/**
 * The credentials this user has, as docker finds them: the helper of the host, else the helper of everything, and what
 * stands in the file itself. What cannot be read is warned of once, and offers nothing.
 */
export function userCredentials(config: DockerConfigFile | undefined, { ask, warn }: CredentialsOptions): (repository: Repository) => Promise<Identity> {
  if (config === undefined) return async () => [];
  const helpers = readHelpers(config);
  if (helpers === undefined) {
    warn(`${config.file} is no docker configuration: going on without credentials; repair or remove it`);
    return async () => [];
  }

  const file = asSecret(config);
  const answers = new Map<string, Promise<Identity>>();
  return async (repository) => {
    const fromHelper = answers.get(repository.host) ?? askHelperOf(repository.host, helpers, { ask, warn });
    answers.set(repository.host, fromHelper);
    return [...(await fromHelper), ...keyring([file], repository)];
  };
}

function readHelpers({ bytes }: DockerConfigFile): Helpers | undefined {
  try {
    return Helpers.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}

/** The keyring reads Secrets; a user's file is one, without a cluster. */
function asSecret({ file, bytes }: DockerConfigFile): DockerSecret {
  const uid = createHash('sha256').update(bytes).digest('hex');
  return { namespace: '', name: file, uid, resourceVersion: '', type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': bytes } };
}

async function askHelperOf(host: string, { credsStore, credHelpers = {} }: Helpers, { ask, warn }: CredentialsOptions): Promise<Identity> {
  const server = host === dockerHub ? hubServer : host;
  const helper = credHelpers[server] ?? credHelpers[host] ?? credsStore;
  if (!helper) return [];
  try {
    const answer = await ask(helper, server);
    return answer === undefined ? [] : [toCredential(`${helper} ${server}`, answer)];
  } catch (error) {
    warn(`${error instanceof Error ? error.message : String(error)}: going on without its credentials`);
    return [];
  }
}

/** @see https://github.com/docker/docker-credential-helpers: the user `<token>` says that the secret is an identity token */
function toCredential(name: string, { username, secret }: HelperAnswer): Credential {
  const id = createHash('sha256').update(name).digest('hex').slice(0, 12);
  return username === '<token>' ? { id, identityToken: secret } : { id, username, password: secret };
}
