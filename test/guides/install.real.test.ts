/** The page about installing, as a reader meets it whose cluster is an API server: no Pod runs there, and hooks are left out. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { writeImageLayout } from '../../tools/image.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder, startApiServer, startRegistry, type ApiServer, type RegistryServer } from '../../tools/servers.js';
import { template } from '../chart/helm.js';
import { blocksIn } from '../support/guide.js';
import { aReader, atApiServer, commandsOf, type Reader } from '../support/guide-reader.js';

const page = readFileSync(join(projectRoot(), 'docs/guides/install.md'), 'utf8');
const commands = blocksIn(page).flatMap((block) => commandsOf(block));

/** What cannot be run here, and why. */
const notRun: Readonly<Record<string, string>> = {
  'make image': 'takes minutes, and is the first step of make e2e',
  'kubectl --namespace kuik-system port-forward': 'no Pod of the UI answers here; make e2e looks at it',
};
const isRun = (command: string): boolean => !Object.keys(notRun).some((front) => command.startsWith(front));

describe('the page about installing', () => {
  const folder = scratchFolder('install-guide');
  let api: ApiServer;
  let registry: RegistryServer;
  let reader: Reader;
  beforeAll(async () => {
    [api, registry] = await Promise.all([startApiServer({ dir: join(folder, 'api') }), startRegistry({ name: 'images', dir: join(folder, 'images') })]);
    reader = await aReader({ folder, kubeconfig: api.kubeconfig, meaning: { 'registry.example.com': registry.address } });
    mkdirSync(join(folder, '.kuik'));
    await writeImageLayout(join(folder, '.kuik', 'image'), { name: 'kube-image-keeper:3.0.0-alpha.0', platforms: ['linux/amd64'], layers: [{ seed: 'kuik', size: 1000 }] });
  }, 120_000);
  afterAll(async () => {
    await Promise.all([registry?.kill(), api?.kill()]);
  });

  /** The page takes it away twice, once with a hook that left its Job behind. */
  async function installAgain(): Promise<void> {
    expect(await reader.run(commands.find((command) => command.startsWith('helm install')) ?? '')).toMatchObject({ code: 0 });
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'kube-image-keeper-cleanup', namespace: 'kuik-system' }, spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'cleanup', image: 'kuik.invalid/none:1' }] } } } };
    await atApiServer(api).apply(JSON.stringify(job));
  }

  test.each(commands.filter(isRun))('%s', async (command) => {
    if (command.startsWith('kuik uninstall')) await installAgain();
    const { code, errors } = await reader.run(command);

    expect({ code, errors: code === 0 ? '' : errors }).toEqual({ code: 0, errors: '' });
  }, 120_000);

  test('has every command that is left out here, and no other', () => {
    expect(Object.keys(notRun).filter((front) => !commands.some((command) => command.startsWith(front)))).toEqual([]);
  });

  test('shows values that the chart takes', async () => {
    const values = [...page.matchAll(/^```yaml\n([\s\S]*?)\n```$/gm)].map(([, text = '']) => parse(text) as object);

    expect(values.length).toBeGreaterThan(0);
    for (const each of values) expect(await template({ values: each })).toMatchObject({ code: 0 });
  });
});
