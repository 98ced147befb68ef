/** The pages about Temporal's UI and about several clusters, as a reader meets them in a cluster with one copy, which another cluster claims too. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ImageName, PlaceId } from '../../src/domain/image-ref.js';
import { createKeeperClient } from '../../src/temporal/client.js';
import { Stage } from '../../tools/demo/stage.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder } from '../../tools/servers.js';
import { blocksIn } from '../support/guide.js';
import { aReader, commandsOf, type Reader } from '../support/guide-reader.js';
import { aClaim } from '../support/keeper.js';
import { applyMirrorRule, createPod, push, until, untilMirrored } from '../support/stage.js';

const commandsIn = (page: string): readonly string[] => blocksIn(readFileSync(join(projectRoot(), 'docs/guides', page), 'utf8')).flatMap((block) => commandsOf(block));
const ofUi = commandsIn('temporal-ui.md');
const ofClusters = commandsIn('several-clusters.md');

/** What cannot be run here, and why. */
const notRun: Readonly<Record<string, string>> = {
  'kuik ui': 'goes on until somebody interrupts it, and opens a browser; histories.real.test.ts plays it',
};
const isRun = (command: string): boolean => !Object.keys(notRun).some((front) => command.startsWith(front));

describe('the pages about Temporal and several clusters', () => {
  const folder = scratchFolder('temporal-guide');
  let stage: Stage;
  let reader: Reader;
  beforeAll(async () => {
    stage = await Stage.open({ dir: join(folder, 'stage'), configuration: 'clusterId: berlin\n' });
    await push(stage, 'web:1.0');
    await applyMirrorRule(stage, 'everything');
    await createPod(stage, 'web', stage.image());
    await untilMirrored(stage, stage.image());
    const meaning = { 'keep/registry.example.com/mirror/library/nginx:1.27': `keep/${stage.copyOf()}`, 'ghcr.io/acme/api:v4': stage.image(), 'nginx:1.27': stage.image() };
    reader = await aReader({ folder, kubeconfig: stage.api.kubeconfig, env: { TEMPORAL_ADDRESS: stage.temporal.running.address }, meaning });
  }, 240_000);
  afterAll(() => stage?.close());

  test.each([...ofUi, ...ofClusters].filter(isRun))('%s', async (command) => {
    if (command === 'kuik cluster list') await joinParis();
    // nobody is there to answer its question
    const { code, errors } = await reader.run(command.startsWith('temporal workflow signal') ? `${command} --yes` : command);

    expect({ code, errors: code === 0 ? '' : errors }).toEqual({ code: 0, errors: '' });
  }, 120_000);

  /** Only now: nobody works for it, and whoever asks for a copy may be sent to it first. */
  async function joinParis(): Promise<void> {
    const { address, namespace } = stage.temporal.running;
    const keepers = createKeeperClient({ endpoint: { address, namespace }, searchable: () => true });
    const destination = stage.copyOf();
    await keepers.claim(aClaim({ cluster: 'paris', destination: destination as PlaceId, publishAs: destination as ImageName, image: stage.image() as ImageName, sources: [stage.image() as ImageName], shared: true }));
    await keepers.close();
    expect(await reader.run('temporal schedule trigger --namespace kuik --schedule-id sweep/berlin')).toMatchObject({ code: 0 });
    await until('paris to be known', async () => (await reader.run('kuik cluster list')).output.includes('paris'));
  }

  test('have every command that is left out here, and no other', () => {
    expect(Object.keys(notRun).filter((front) => ![...ofUi, ...ofClusters].some((command) => command.startsWith(front)))).toEqual([]);
  });
});
