import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readEnvironment } from '../../src/config/environment.js';
import { readConfig } from '../../src/config/load.js';

const folder = mkdtempSync(join(tmpdir(), 'kuik-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the environment', () => {
  test('says nothing by default', () => {
    expect(readEnvironment({})).toMatchObject({ kubeconfig: undefined, webhooksEnabled: true, proxy: { http: undefined, https: undefined, no: undefined } });
  });

  test.each([
    ['POD_NAMESPACE', { POD_NAMESPACE: 'ours' }, { installNamespace: 'ours' }],
    ['KUIK_FULL_NAME', { KUIK_FULL_NAME: 'ours' }, { fullName: 'ours' }],
    ['no KUIK_FULL_NAME, for an installation of the usual name', {}, { fullName: 'kube-image-keeper', databaseSecret: undefined }],
    ['KUIK_DATABASE_SECRET', { KUIK_DATABASE_SECRET: 'db' }, { databaseSecret: 'db' }],
    ['KUBECONFIG', { KUBECONFIG: '/k' }, { kubeconfig: '/k' }],
    ['an empty KUBECONFIG, which is none', { KUBECONFIG: '' }, { kubeconfig: undefined }],
    ['ENABLE_WEBHOOKS=false', { ENABLE_WEBHOOKS: 'false' }, { webhooksEnabled: false }],
    ['ENABLE_WEBHOOKS with any other value', { ENABLE_WEBHOOKS: '0' }, { webhooksEnabled: true }],
    ['proxies', { HTTP_PROXY: 'http://a', HTTPS_PROXY: 'http://b', NO_PROXY: '.local' }, { proxy: { http: 'http://a', https: 'http://b', no: '.local' } }],
    ['proxies in lower case', { http_proxy: 'http://a', https_proxy: 'http://b', no_proxy: '.local' }, { proxy: { http: 'http://a', https: 'http://b', no: '.local' } }],
    ['the address of the API server', { KUBERNETES_SERVICE_HOST: '10.96.0.1' }, { apiServerAddress: '10.96.0.1' }],
    ['an API server that is a name, which may have any address', { KUBERNETES_SERVICE_HOST: 'api.test' }, { apiServerAddress: undefined }],
    ['upper case before lower case', { HTTPS_PROXY: 'http://upper', https_proxy: 'http://lower' }, { proxy: { https: 'http://upper' } }],
  ])('%s is read', (_sentence, environment, expected) => {
    expect(readEnvironment(environment)).toMatchObject(expected);
  });
});

describe('the file', () => {
  const settings = { installNamespace: 'kuik-system' };

  test('a missing one gives the defaults', () => {
    expect(readConfig(join(folder, 'none.yaml'), settings)).toMatchObject({ config: { temporal: { namespace: 'kuik' } }, warnings: [] });
  });

  test('is read, with the files it names', () => {
    writeFileSync(join(folder, 'ca.pem'), 'CA');
    writeFileSync(join(folder, 'config.yaml'), `registries: {items: {r.example.com: {caFile: ${join(folder, 'ca.pem')}}}}`);

    expect(readConfig(join(folder, 'config.yaml'), settings)).toMatchObject({ config: { registries: { items: { 'r.example.com': { ca: 'CA' } } } } });
  });

  test('one that is there but cannot be read, here a folder, stops the start', () => {
    expect(readConfig(folder, settings).problems).toEqual([expect.stringContaining(`the configuration ${folder} cannot be read`)]);
  });
});
