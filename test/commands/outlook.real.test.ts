/** `kuik preview` and `kuik cluster`: what will go, and who else has a say. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ImageName, PlaceId } from '../../src/domain/image-ref.js';
import { createKeeperClient, type KeeperClient } from '../../src/temporal/client.js';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder, toolOutput } from '../../tools/servers.js';
import type { RuleChangeList } from '../../src/commands/documents/preview.js';
import { readDocument } from '../support/documents.js';
import { aClaim } from '../support/keeper.js';
import { kuikOn, type Ended } from '../support/kuik.js';
import { createPod, push, recordOf, until, untilMirrored } from '../support/stage.js';

let stage: Stage;
let keepers: KeeperClient;

const kuik = (...args: string[]): Promise<Ended> => kuikOn(stage, ...args);
const rule = (mirrors: readonly object[], image = '.+') => JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'everything' }, spec: { filter: { include: [{ image }] }, mirrors } });
const kept = (): object => ({ registry: stage.mirror.address, path: '/kept', cleanup: { enabled: true } }); // kept for as long as the settings of the cluster say

beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('outlook'), configuration: 'clusterId: berlin\nretention: {default: 36h}\n' });
  const { address, namespace } = stage.temporal.running;
  keepers = createKeeperClient({ endpoint: { address, namespace }, searchable: () => true });
  await stage.apply(rule([kept()]));
  for (const name of ['web:1.0', 'old:1.0']) {
    await push(stage, name);
    await createPod(stage, name.replace(/[:.]/g, '-'), stage.image(name));
    await untilMirrored(stage, stage.image(name));
  }
}, 240_000);

afterAll(async () => {
  await keepers?.close();
  await stage?.close();
});

async function fileWith(text: string): Promise<string> {
  const file = join(stage.dir, 'rules.yaml');
  await writeFile(file, text);
  return file;
}

describe('kuik preview', () => {
  test('announces nothing while Pods use the images', async () => {
    expect(await kuik('preview')).toEqual({ code: 0, output: '0 of 2 copies will be deleted; kept: 2 (a rule wants it for an image in use)\n', errors: '' });
  });

  test('says when the copy of an image nobody uses any more goes', async () => {
    await stage.kubectl('delete', 'pod', 'old-1-0', '--now');
    const name = (await recordOf(stage, stage.image('old:1.0')))!.name;
    await until('its end to be announced', async () => (await stage.kubectl('get', 'ia', name, '-o', 'jsonpath={.status.expiresAt}')) !== '');
    const announced = await stage.kubectl('get', 'ia', name, '-o', 'jsonpath={.status.expiresAt}');

    const { code, output } = await kuik('preview');

    expect(output).toContain(`${stage.copyOf('old:1.0')}   ${announced}`); // the same as EXPIRES says
    expect(output).toContain('1 of 2 copies will be deleted; kept: 1 (a rule wants it for an image in use)');
    expect(code).toBe(0);
  });

  test('of a file says what applying it would copy, release and delete', async () => {
    const file = await fileWith(rule([{ ...kept(), cleanup: { enabled: true, retention: '24h' } }, { registry: stage.mirror.address, path: '/spare' }]));

    const { code, output } = await kuik('preview', '-f', file, '-o', 'json');

    const { items } = readDocument<RuleChangeList>('RuleChangeList', output);
    expect(items.map(({ action, place }) => [action, place])).toEqual([
      ['copy', `${stage.mirror.address}/spare/library/web:1.0`],
      ['delete', stage.copyOf('old:1.0')],
    ]);
    expect(code).toBe(0);
    expect(await stage.kubectl('get', 'cism', 'everything', '-o', 'jsonpath={.spec.mirrors[*].path}')).toBe('/kept'); // and nothing was applied
  });

  test('of a file with a rule that cannot be used names the field: exit 2', async () => {
    const { code, errors } = await kuik('preview', '-f', await fileWith(rule([kept()], '(')));

    expect(errors).toMatch(/^kuik preview: ClusterImageSetMirror\/everything: spec.filter.include\[0\].image/);
    expect(code).toBe(2);
  });

  test('of a file without rules, or that is not there, is refused: exit 1', async () => {
    expect(await kuik('preview', '-f', await fileWith('kind: Service\n'))).toMatchObject({ code: 1, errors: expect.stringContaining('no rule in it') });
    expect(await kuik('preview', '-f', '/nowhere.yaml')).toMatchObject({ code: 1, errors: expect.stringContaining('/nowhere.yaml') });
  });
});

describe('kuik cluster', () => {
  const temporal = (...args: string[]): Promise<string> => toolOutput('temporal', [...args, '--address', stage.temporal.running.address, '--namespace', stage.temporal.running.namespace]);
  const web = (): PlaceId => stage.copyOf() as PlaceId;

  test('lists this cluster once a sweep has asked its keepers', async () => {
    expect(await kuik('cluster', 'list')).toMatchObject({ code: 1, errors: expect.stringContaining('Trigger of its Schedule') });
    await temporal('schedule', 'trigger', '--schedule-id', 'sweep/berlin');
    await until('a list with claims', async () => (await kuik('cluster', 'list')).output.includes('CLUSTER'));

    expect((await kuik('cluster', 'list')).output).toMatch(/^CLUSTER +CLAIMS +HEARD +STATE\nberlin +\d+ +\d+[sm] ago +this cluster\nas of 20/);
  });

  test('lists another one that shares a copy, after Trigger', async () => {
    await keepers.claim(aClaim({ cluster: 'paris', destination: web(), publishAs: web() as string as ImageName, image: stage.image() as ImageName, sources: [stage.image() as ImageName], shared: true }));
    await temporal('schedule', 'trigger', '--schedule-id', 'sweep/berlin');

    await until('paris to be listed', async () => (await kuik('cluster', 'list')).output.includes('paris'));
    expect(readDocument('ClusterList', (await kuik('cluster', 'list', '-o', 'json')).output)).toMatchObject({ kind: 'ClusterList', items: [{ id: 'berlin', state: 'this cluster' }, { id: 'paris', claims: 1, state: 'alive' }] });
  });

  test('does not forget without being asked twice, nor in a dry run', async () => {
    expect(await kuik('cluster', 'forget', 'paris')).toMatchObject({ code: 1, errors: expect.stringMatching(/nothing was changed; add --yes/) });
    readDocument('ForgottenCluster', (await kuik('cluster', 'forget', 'paris', '--dry-run=client', '-o', 'yaml')).output);
    expect(await kuik('cluster', 'forget', 'paris', '--dry-run=server')).toMatchObject({ code: 0, output: expect.stringContaining('would be forgotten by 1 keepers') });

    expect(await keepers.status(web())).toMatchObject({ claims: [{ cluster: 'berlin' }, { cluster: 'paris', state: 'live' }] });
  });

  test('forgets one that is gone, on every keeper', async () => {
    expect(await kuik('cluster', 'forget', 'paris', '--yes')).toEqual({ code: 0, output: 'paris forgotten by 1 keepers\n', errors: '' });

    expect(await keepers.status(web())).toMatchObject({ claims: [{ cluster: 'berlin', state: 'live' }, { cluster: 'paris', state: 'forgotten' }] });
    expect(await stage.kubectl('get', 'configmap', '-n', 'kuik-system', 'kuik-clusters', '-o', 'jsonpath={.metadata.annotations}')).toBe('');
  });

  test.each<[string, string[], RegExp]>([
    ['the cluster itself', ['forget', 'berlin', '--yes'], /^kuik cluster forget: berlin is this cluster, and it lives/],
    ['what is no ID', ['forget', 'Paris!', '--yes'], /no cluster ID/],
    ['nothing', ['forget'], /name one cluster; kuik cluster list/],
    ['in another namespace', ['list', '-n', 'default'], /nothing is known yet: .*ConfigMap default\/kuik-clusters.*[Nn]ame another with -n/],
    ['an unknown command', ['frget'], /unknown command "frget"/],
  ])('refuses %s, with the next step: exit 1', async (_what, args, said) => {
    const { code, output, errors } = await kuik('cluster', ...args);

    expect(output).toBe('');
    expect(errors).toMatch(said);
    expect(code).toBe(1);
  });
});
