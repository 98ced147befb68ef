import { cp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { openKeepers, type Keepers } from '../support/keepers.js';
import { applyMirrorRule, contentOf, createPod, mirrorFast, podFor, push, tagIsThere, until, untilMirrored } from '../support/stage.js';

/** An image each, by what the backup knows of it. */
const [known, unknown, leaving] = ['known:1.0', 'unknown:1.0', 'leaving:1.0'] as const;

// tombstones of three hours last eleven seconds for a keeper of `mirrorFast`: over a backup, not over a test
describe('the database of Temporal is brought back from a backup', () => {
  let stage: Stage;
  let keepers: Keepers;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f26'), configuration: 'retention:\n  tombstone: 3h\n' });
    keepers = await openKeepers(stage.temporalAddress);
    await applyMirrorRule(stage, 'everything', { cleanup: { enabled: true, retention: '0s' } });
  }, 180_000);
  afterAll(async () => {
    await keepers?.close();
    await stage?.close();
  });

  fault('F26', 'what happened since is told again, nothing is copied twice, and a deletion it remembers takes nothing in use', async () => {
    await mirrorFast(stage, leaving, 'everything');
    await push(stage, known);
    await createPod(stage, podFor(known), stage.image(known));
    await untilMirrored(stage, stage.image(known));
    await stage.kubectl('delete', 'pod', podFor(leaving), '--force', '--grace-period=0');
    await until('the deletion to retire the copy', async () => (await retiring()) !== '');

    const backup = await backUp();
    await createPod(stage, podFor(leaving), stage.image(leaving));
    await untilKept(leaving);
    await push(stage, unknown);
    await createPod(stage, podFor(unknown), stage.image(unknown));
    await untilMirrored(stage, stage.image(unknown));
    const content = await contentOf(stage.mirror);

    await restore(backup);

    for (const name of [known, unknown, leaving]) await untilKept(name);
    for (const name of [known, unknown, leaving]) expect(await tagIsThere(stage.copyOf(name))).toBe(true);
    expect(await contentOf(stage.mirror)).toEqual(content);
    expect(await retiring()).toBe('');
  }, 240_000);

  function retiring(): Promise<string> {
    return stage.kubectl('get', 'ia', '-o', 'jsonpath={.items[*].status.places[?(@.role=="mirror")].retiringSince}');
  }

  /** Its keeper is there, knows the copy, and knows that we want it. */
  async function untilKept(name: string): Promise<void> {
    const destination = stage.copyOf(name);
    await until(`${name} to be kept`, async () => {
      const status = await keepers.status(destination).catch(() => undefined);
      return status?.phase === 'Mirrored' && status.claims.some(({ state }) => state === 'live');
    });
  }

  /** A copy of a database that nobody writes to; the server is away for as long as that takes. */
  async function backUp(): Promise<string> {
    const [database, backup] = [dirname(stage.temporal.running.logFile), join(stage.dir, 'backup')];
    await stage.temporal.stop();
    await cp(database, backup, { recursive: true });
    await stage.temporal.start();
    return backup;
  }

  /** Sooner than anybody looks whether the server is there. */
  async function restore(backup: string): Promise<void> {
    const database = dirname(stage.temporal.running.logFile);
    await stage.temporal.stop();
    await rm(database, { recursive: true });
    await cp(backup, database, { recursive: true });
    await stage.temporal.start();
  }
});
