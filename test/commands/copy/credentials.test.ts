import { describe, expect, test } from '@jest/globals';
import type { HelperAnswer } from '../../../src/commands/copy/credential-helper.js';
import { userCredentials } from '../../../src/commands/copy/credentials.js';
import type { Identity } from '../../../src/registry/registry.js';

interface Asked {
  readonly identity: Identity;
  readonly warnings: readonly string[];
  readonly helperCalls: readonly string[];
}

async function credentialsFor(host: string, config: string | undefined, knows: Record<string, HelperAnswer | Error> = {}): Promise<Asked> {
  const warnings: string[] = [];
  const helperCalls: string[] = [];
  const ask = async (helper: string, server: string): Promise<HelperAnswer | undefined> => {
    helperCalls.push(`${helper} ${server}`);
    const answer = knows[`${helper} ${server}`];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const file = config === undefined ? undefined : { file: '/home/me/.docker/config.json', bytes: Buffer.from(config) };
  const credentials = userCredentials(file, { ask, warn: (message) => warnings.push(message) });
  await credentials({ host, path: 'a/b' });
  return { identity: await credentials({ host, path: 'a/b' }), warnings, helperCalls };
}

const auth = Buffer.from('me:secret').toString('base64');

describe('the credentials of the user', () => {
  test('are none without a docker configuration', async () => {
    expect(await credentialsFor('r.io', undefined)).toEqual({ identity: [], warnings: [], helperCalls: [] });
  });

  test('stand in the file', async () => {
    const { identity } = await credentialsFor('r.io', JSON.stringify({ auths: { 'r.io': { auth } } }));

    expect(identity).toEqual([expect.objectContaining({ username: 'me', password: 'secret' })]);
  });

  test('of the Hub are found under the name docker login gives them', async () => {
    const { identity } = await credentialsFor('docker.io', JSON.stringify({ auths: { 'https://index.docker.io/v1/': { auth } } }));

    expect(identity).toEqual([expect.objectContaining({ username: 'me' })]);
  });

  test.each([
    ['the helper of everything', { credsStore: 'keychain' }, 'r.io', 'keychain r.io'],
    ['the helper of the host before it', { credsStore: 'keychain', credHelpers: { 'r.io': 'cloud' } }, 'r.io', 'cloud r.io'],
    ['the helper under the server name of the Hub', { credsStore: 'keychain' }, 'docker.io', 'keychain https://index.docker.io/v1/'],
  ])('come from %s, asked once', async (_sentence, config, host, call) => {
    const { identity, helperCalls } = await credentialsFor(host, JSON.stringify(config), { [call]: { username: 'me', secret: 'kept' } });

    expect(identity).toEqual([expect.objectContaining({ username: 'me', password: 'kept' })]);
    expect(helperCalls).toEqual([call]);
  });

  test('from a helper may be an identity token', async () => {
    const { identity } = await credentialsFor('r.io', JSON.stringify({ credsStore: 'k' }), { 'k r.io': { username: '<token>', secret: 'refresh' } });

    expect(identity).toEqual([{ id: expect.any(String), identityToken: 'refresh' }]);
  });

  test('of a helper that fails are done without, with one warning', async () => {
    const config = JSON.stringify({ credsStore: 'k', auths: { 'r.io': { auth } } });

    const { identity, warnings } = await credentialsFor('r.io', config, { 'k r.io': new Error('docker-credential-k cannot be started') });

    expect(identity).toEqual([expect.objectContaining({ username: 'me' })]);
    expect(warnings).toEqual(['docker-credential-k cannot be started: going on without its credentials']);
  });

  test('in a file that does not parse are done without, and the warning shows nothing of it', async () => {
    const { identity, warnings } = await credentialsFor('r.io', '{"auths": {"r.io": {"auth": "c2VjcmV0');

    expect(identity).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/^\/home\/me\/\.docker\/config\.json is no docker configuration/)]);
  });
});
