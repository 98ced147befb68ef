import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadKubeConfig } from '../../src/cluster/kubernetes/kubeconfig.js';
import { Requests } from '../../src/cluster/kubernetes/requests.js';
import { watchedTypes } from '../../src/cluster/kubernetes/resources.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kuik-kubeconfig-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, context: string, user: object = { token: `token-of-${context}` }, current: string | undefined = context): string {
  const file = join(folder, name);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': current,
    contexts: [{ name: context, context: { cluster: context, user: context } }],
    clusters: [{ name: context, cluster: { server: `https://${context}.example.com/prefix/` } }],
    users: [{ name: context, user }],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

const serverOf = (location: Parameters<typeof loadKubeConfig>[0]): string | undefined => loadKubeConfig(location).getCurrentCluster()?.server;

describe('the cluster is found', () => {
  test('in the file that was named, and nowhere else', () => {
    const file = write('named', 'named');
    const other = write('other', 'other');

    expect(serverOf({ file, kubeconfig: other })).toBe('https://named.example.com/prefix');
  });

  test('in KUBECONFIG, the first file that names a thing wins', () => {
    const [first, second] = [write('a', 'a'), write('b', 'b')];
    const again = write('c', 'a', { token: 'another' });
    const config = loadKubeConfig({ kubeconfig: [first, join(folder, 'absent'), second, again].join(':') });

    expect(config.getCurrentCluster()?.server).toBe('https://a.example.com/prefix');
    expect(config.getCurrentUser()?.token).toBe('token-of-a');
    expect(config.getContexts().map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('in the home directory', () => {
    mkdirSync(join(folder, '.kube'));
    write('.kube/config', 'home');

    expect(serverOf({ home: folder })).toBe('https://home.example.com/prefix');
  });

  test('by the context that was asked for', () => {
    const kubeconfig = [write('a', 'a'), write('b', 'b')].join(':');

    expect(serverOf({ kubeconfig, context: 'b' })).toBe('https://b.example.com/prefix');
    expect(() => loadKubeConfig({ kubeconfig, context: 'c' })).toThrow('no cluster found: context "c" is not defined');
  });

  test('or the message says what to do', () => {
    expect(() => loadKubeConfig({ home: folder })).toThrow(/no cluster found: name a kubeconfig file with --kubeconfig, set KUBECONFIG/);
    expect(() => loadKubeConfig({ file: join(folder, 'absent') })).toThrow(/ENOENT.*absent/);
  });
});

describe('credentials', () => {
  test('a token file is read beside the kubeconfig that names it', () => {
    writeFileSync(join(folder, 'token'), 'from-the-file');
    const config = loadKubeConfig({ file: write('config', 'a', { tokenFile: 'token' }) });

    expect(config.getCurrentUser()).toMatchObject({ authProvider: { name: 'tokenFile', config: { tokenFile: join(folder, 'token') } } });
  });

  test('one that cannot be read is a failure of the request, not a crash', async () => {
    const requests = new Requests(loadKubeConfig({ file: write('config', 'a', { tokenFile: 'absent' }) }));

    await expect(requests.json({ verb: 'list', type: watchedTypes.Pod })).rejects.toMatchObject({ code: 'unreachable', side: 'cluster' });
    requests.close();
  });
});
