import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { ApiObject } from '../../src/cluster/kubernetes/objects.js';
import { gapTexts, readSettings, type Problems, type Settings } from '../../src/commands/manager-config.js';
import { readEnvironment } from '../../src/config/environment.js';
import { Failure } from '../../src/domain/failure.js';

const folder = mkdtempSync(join(tmpdir(), 'kuik-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

const denied = new Failure({ code: 'denied', side: 'cluster', message: 'not allowed' });
type Stored = Readonly<Record<string, string>>;

/** A namespace with these ConfigMaps, by name; all of them bear the labels of the chart. */
const aCluster = (stored: Stored, may: readonly ('get' | 'list')[] = ['get', 'list']) => ({
  configMap: async ({ namespace, name }: { namespace: string; name: string }) => {
    if (!may.includes('get')) throw denied;
    const text = namespace === 'kuik-system' ? stored[name] : undefined;
    return text === undefined ? undefined : { namespace, name, data: { 'config.yaml': text }, annotations: {} };
  },
  objects: async (): Promise<readonly ApiObject[]> => {
    if (!may.includes('list')) throw denied;
    return Object.entries(stored).map(([name, text]) => ({ metadata: { name }, data: { 'config.yaml': text } }));
  },
});

const read = (stored: Stored, { may, told = {}, ...asked }: { may?: readonly ('get' | 'list')[]; told?: Readonly<Record<string, string>>; file?: string; needsFiles?: boolean } = {}): Promise<Settings | Problems> =>
  readSettings({ cluster: aCluster(stored, may), environment: readEnvironment({ POD_NAMESPACE: 'kuik-system', ...told }), ...asked });

async function found(...args: Parameters<typeof read>): Promise<Settings> {
  const settings = await read(...args);
  if ('problems' in settings) throw new Error(settings.problems.join('\n'));
  return settings;
}

const usual = 'kube-image-keeper-manager-config';
const tenDays = 'retention: {default: 240h}';
const dayMs = 24 * 3_600_000;

describe('what is asked about a cluster is answered by its own settings', () => {
  test.each<[string, Stored, Readonly<Record<string, string>>]>([
    ['of the usual name', { [usual]: tenDays, 'other-manager-config': '' }, {}],
    ['of the name that is told', { [usual]: '', 'other-manager-config': tenDays }, { KUIK_FULL_NAME: 'other' }],
    ['of any name, which the labels of the chart find', { 'kuik-kube-image-keeper-manager-config': tenDays }, {}],
  ])('those of an installation %s', async (_sentence, stored, told) => {
    const settings = await found(stored, { told });

    expect(settings.config.retention.defaultMs).toBe(10 * dayMs);
    expect(gapTexts(settings)).toEqual([]);
    expect(`${settings.environment.fullName}-manager-config` in stored).toBe(true);
  });

  test.each<[string, Stored, Parameters<typeof read>[1], RegExp]>([
    ['where there is no installation', {}, {}, /^there is no ConfigMap kuik-system\/kube-image-keeper-manager-config: answered with the default settings; .*POD_NAMESPACE .*KUIK_FULL_NAME/],
    ['where none has the name that is told', { [usual]: tenDays }, { told: { KUIK_FULL_NAME: 'other' } }, /^there is no ConfigMap kuik-system\/other-manager-config/],
    ['to somebody who may not read it', { [usual]: tenDays }, { may: [] }, /^you may not get configmaps kube-image-keeper-manager-config in namespace kuik-system: answered with the default settings/],
    ['to somebody who may not list what might have another name', { 'kuik-manager-config': tenDays }, { may: ['get'] }, /^there is no ConfigMap/],
  ])('the defaults %s, and it is said', async (_sentence, stored, asked, said) => {
    const settings = await found(stored, asked);

    expect(settings.config.retention.defaultMs).toBe(30 * dayMs);
    expect(gapTexts(settings)).toEqual([expect.stringMatching(said)]);
  });

  test.each<[string, Stored, string]>([
    ['several installations, none of the usual name', { 'one-manager-config': '', 'two-manager-config': '' }, 'several installations are in namespace kuik-system: KUIK_FULL_NAME says which is meant, one or two'],
    ['a configuration that cannot be used', { [usual]: 'retention: {default: soon}' }, 'ConfigMap kuik-system/kube-image-keeper-manager-config: retention.default'],
  ])('%s: nothing is guessed', async (_sentence, stored, problem) => {
    expect(await read(stored)).toEqual({ problems: [expect.stringContaining(problem)] });
  });

  test('a file it names is in the Pods: one of the same path that is here is another one', async () => {
    const path = join(folder, 'ca.pem');
    writeFileSync(path, 'of this machine');

    const { config, absent } = await found({ [usual]: `registries: {items: {r.example.com: {caFile: ${path}, plainHTTP: false}}}` });

    expect(config.registries.items['r.example.com']).toMatchObject({ ca: undefined, isConfigured: true });
    expect(absent).toEqual([{ key: 'registries.items.r.example.com.caFile', path }]);
  });

  test('any other failure of the API server is no answer', async () => {
    const cluster = { ...aCluster({}), configMap: async () => Promise.reject(new Failure({ code: 'unreachable', side: 'cluster', message: 'no connection' })) };

    await expect(readSettings({ cluster, environment: readEnvironment({}) })).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a file that somebody names comes before them', () => {
  const file = join(folder, 'config.yaml');

  test('and nobody is asked', async () => {
    writeFileSync(file, 'retention: {default: 24h}');

    expect(await found({ [usual]: tenDays }, { file, may: [] })).toMatchObject({ config: { retention: { defaultMs: dayMs } }, absent: [] });
  });

  test('one that is not there is an error, and not the defaults', async () => {
    expect(await read({ [usual]: tenDays }, { file: '/nowhere.yaml' })).toEqual({ problems: [expect.stringMatching(/^the configuration \/nowhere\.yaml cannot be read: .*ENOENT/)] });
  });

  test('what it names has to be here where registries are asked with it, and nowhere else', async () => {
    writeFileSync(file, 'registries: {items: {r.example.com: {caFile: /nowhere.pem}}}');

    expect(await read({}, { file, needsFiles: true })).toEqual({ problems: ['registries.items.r.example.com.caFile: the file /nowhere.pem is missing or unreadable'] });
    expect(await found({}, { file })).toMatchObject({ absent: [{ path: '/nowhere.pem' }] });
  });
});
