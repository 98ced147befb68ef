import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { searchAttributes } from '../../src/temporal/contract.js';
import { freePort, runTool, scratchFolder, startApiServer, startRegistry, startTemporal, toolOutput } from '../../tools/servers.js';
import { isAlive } from './alive.js';

describe('the API server', () => {
  test('takes Pods in any namespace, and has them again after it was killed', async () => {
    const api = await startApiServer();
    const kubectl = (...args: string[]): Promise<string> => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, ...args]);
    await kubectl('create', 'namespace', 'shop');
    await kubectl('--namespace=shop', 'run', 'web', '--image=nginx');

    await api.kill();
    const again = await startApiServer({ dir: api.dir, port: api.port });

    expect(await kubectl('--namespace=shop', 'get', 'pods', '--output=name')).toBe('pod/web');
    expect(again).toMatchObject({ url: api.url, token: api.token, kubeconfig: api.kubeconfig });
    await again.stop();
    expect([api.pid, api.etcd.pid, again.pid, again.etcd.pid].filter(isAlive)).toEqual([]);
  });

  test('refuses Pods without a ServiceAccount when asked to be as strict as a cluster', async () => {
    const api = await startApiServer({ serviceAccounts: 'required' });

    const { code, stderr } = await runTool('kubectl', ['--kubeconfig', api.kubeconfig, 'run', 'web', '--image=nginx']);

    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('serviceaccount "default" not found') });
    await api.kill();
  });
});

describe('a registry', () => {
  test('keeps its images when it is stopped and started on the same port', async () => {
    const registry = await startRegistry();
    await pushAnImage(`${registry.address}/library/tiny:1`);

    await registry.stop();
    const again = await startRegistry({ port: registry.port, dir: registry.dir });

    expect(await toolOutput('crane', ['ls', `${registry.address}/library/tiny`])).toBe('1');
    await again.kill();
    expect([registry.pid, again.pid].filter(isAlive)).toEqual([]);
  });

  test('asks for the password it was given', async () => {
    const registry = await startRegistry({ htpasswd: { robot: 'secret' } });
    const as = async (password: string): Promise<number | null> => {
      const DOCKER_CONFIG = scratchFolder('docker');
      const auth = Buffer.from(`robot:${password}`).toString('base64');
      writeFileSync(join(DOCKER_CONFIG, 'config.json'), JSON.stringify({ auths: { [registry.address]: { auth } } }));
      return (await runTool('crane', ['catalog', registry.address], { env: { DOCKER_CONFIG } })).code;
    };

    expect([await as('secret'), await as('guess')]).toEqual([0, 1]);
    await registry.kill();
  });

  test('refuses deletions when told so', async () => {
    const registry = await startRegistry({ deletion: 'refused' });
    await pushAnImage(`${registry.address}/library/tiny:1`);

    const { code, stderr } = await runTool('crane', ['delete', `${registry.address}/library/tiny:1`]);

    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('UNSUPPORTED') });
    await registry.kill();
  });

  test('does not start where somebody else listens', async () => {
    const registry = await startRegistry();

    await expect(startRegistry({ port: registry.port })).rejects.toThrow(`port ${registry.port} of 127.0.0.1 is taken`);

    await registry.kill();
  });

  test('that cannot start shows the end of its log', async () => {
    const dir = scratchFolder('broken');
    const tls = { certificateFile: join(dir, 'missing.crt'), keyFile: join(dir, 'missing.key') };
    writeFileSync(tls.certificateFile, 'no certificate');

    await expect(startRegistry({ dir, tls })).rejects.toThrow(/registry ended \(status 1\) before it was serving; end of .*registry.log:\n.*missing.key/s);
  });
});

describe('Temporal', () => {
  test('comes with namespace, search attributes and UI, and keeps them in its file', async () => {
    const dbFile = join(scratchFolder('temporal'), 'temporal.db');
    const temporal = await startTemporal({ dbFile, ui: true });
    const attributes = async (): Promise<string[]> => {
      const list = await toolOutput('temporal', ['--address', temporal.address, 'operator', 'search-attribute', 'list', '--namespace', temporal.namespace]);
      return list.split(/\s+/).filter((word) => word.startsWith('Kuik')).sort();
    };
    const before = await attributes();

    await temporal.stop();
    const again = await startTemporal({ dbFile, port: temporal.port });

    expect(before).toEqual(Object.keys(searchAttributes).sort());
    expect(await attributes()).toEqual(before);
    expect(temporal.uiUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(again.uiUrl).toBeUndefined();
    await again.kill();
    expect([temporal.pid, again.pid].filter(isAlive)).toEqual([]);
  });
});

test('a program that fails says what it complained about', async () => {
  await expect(toolOutput('crane', ['digest', `127.0.0.1:${await freePort()}/nothing:1`])).rejects.toThrow(/^crane digest .*: status 1: .*connection refused/s);
});

async function pushAnImage(reference: string): Promise<void> {
  const layer = join(scratchFolder('layer'), 'layer.tar');
  writeFileSync(layer, Buffer.alloc(1024)); // an empty tar archive
  await toolOutput('crane', ['append', '--new_layer', layer, '--new_tag', reference]);
}
