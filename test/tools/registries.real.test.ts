import { describe, expect, test } from '@jest/globals';
import { findOldRegistry, startCraneRegistry, startOldRegistry, toolOutput } from '../../tools/servers.js';

describe('registries beside the usual one', () => {
  test("crane's registry serves, and ends when it is told to", async () => {
    const server = await startCraneRegistry();
    expect(await toolOutput('crane', ['catalog', server.address])).toBe('');
    await server.stop();
    await server.exited;
  });

  test('an old registry that is nowhere is told with the next step', async () => {
    expect(await findOldRegistry({ PATH: '/nowhere' })).toEqual({ missing: 'docker-registry 2.8 is not on the PATH (apt-get install docker-registry)' });
    expect(await findOldRegistry({ KUIK_TOOL_DOCKER_REGISTRY: process.execPath })).toEqual({ missing: `KUIK_TOOL_DOCKER_REGISTRY=${process.execPath} is no distribution 2.8` });
  });
});

const old = await findOldRegistry();
if ('path' in old) {
  test('the old registry serves, and says that it is 2.8', async () => {
    const server = await startOldRegistry(old.path);
    expect(await toolOutput('crane', ['catalog', server.address])).toBe('');
    await server.stop();
  });
} else describe('the old registry', () => test.skip(`not run: ${old.missing}`, () => undefined));
