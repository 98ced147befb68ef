/**
 * Records histories of keepers, copies and monitors for the replay test: what running workflows of this release look like.
 *
 *     npm run build && node dist/test/support/bundle.js && node dist/test/support/record-histories.js test/histories/3.0
 *
 * A release adds its folder. What stands there is never recorded again, it is what must keep replaying: only what is
 * missing is written.
 */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { Claim } from '../../src/domain/claim.js';
import { digestOf } from './keeper.js';
import { recordMonitors } from './record-monitors.js';
import { historyText, missing, someClaim, startLab, unreachable, until, World, type Lab } from './temporal-lab.js';

const [, , folder = ''] = process.argv;
if (folder === '') throw new Error('usage: record-histories.js FOLDER');

const lab = await startLab();
const world = new World();
await lab.work('berlin', world);
await copied();
await healed();
await retried();
await joined();
await drifted();
await released();
await renewed();
await swept();
await recordMonitors(lab, save);
await deleted();
await refused();
await stopped();
await releasedElsewhere();
await takenOver();
await lab.stop();

async function copied(): Promise<void> {
  const claim = await mirrored('copied');
  const { keeper, task } = lab.handles(claim.destination);
  await save('keepImage', 'copied', keeper);
  await save('copyImage', 'copied', task);
}

async function healed(): Promise<void> {
  const claim = someClaim('healed');
  world.sourceFails = unreachable;
  await lab.keepers.claim(claim);
  await becomes(lab, claim, 'Failed');
  const { keeper, task } = lab.handles(claim.destination);
  await save('copyImage', 'failed', task);
  world.sourceFails = undefined;
  await becomes(lab, claim, 'Mirrored');
  await save('keepImage', 'failed-then-healed', keeper);
}

async function retried(): Promise<void> {
  const claim = someClaim('retried');
  world.sourceFails = missing;
  await lab.keepers.claim(claim);
  await becomes(lab, claim, 'Failed');
  world.sourceFails = undefined;
  world.close();
  await lab.keepers.retry(claim.destination);
  await until(async () => world.copiesStarted.some((started) => started.startsWith(claim.destination)));
  await lab.keepers.retry(claim.destination); // passed on to the running copy
  world.open();
  await becomes(lab, claim, 'Mirrored');
  const { keeper, task } = lab.handles(claim.destination);
  await save('keepImage', 'retried', keeper);
  await save('copyImage', 'retried-while-running', task);
}

async function joined(): Promise<void> {
  const claim = await mirrored('joined');
  await lab.work('paris', world);
  await lab.keepers.claim({ ...claim, cluster: 'paris' });
  await until(async () => world.records.get(`paris ${claim.destination}`));
  const { keeper } = lab.handles(claim.destination);
  for (const name of ['pause', 'resume', 'resync']) await keeper.signal(name);
  await becomes(lab, claim, 'Mirrored');
  await save('keepImage', 'two-clusters', keeper);
}

/** Somebody else writes to the destination, and the keeper looks. */
async function drifted(): Promise<void> {
  const claim = await mirrored('drifted', { verifyEveryMs: 3_600_000 });
  world.tags.set(claim.destination, digestOf('f'));
  const { keeper } = lab.handles(claim.destination);
  await until(async () => (await lab.status(claim.destination))?.drift !== undefined);
  await becomes(lab, claim, 'Mirrored');
  await save('keepImage', 'drift-told', keeper);
}

async function released(): Promise<void> {
  const claim = await mirrored('released', { cleanup: false });
  await lab.keepers.release(claim.destination, { v: 1, cluster: 'berlin', generation: 2 });
  const { keeper } = lab.handles(claim.destination);
  await keeper.result();
  await save('keepImage', 'released', keeper);
}

async function renewed(): Promise<void> {
  const keepers = lab.keepersAt(0.000_01);
  const claim = someClaim('renewed', { ttlMs: 360_000_000 });
  await keepers.claim(claim);
  const { keeper } = lab.handles(claim.destination);
  const { runId } = await keeper.describe();
  await until(async () => (await keeper.describe()).runId !== runId);
  await becomes(lab, claim, 'Mirrored');
  await save('keepImage', 'renewed-before', lab.client.workflow.getHandle(keeper.workflowId, runId));
  await save('keepImage', 'renewed-after', keeper);
  await keeper.terminate('recorded');
}

async function swept(): Promise<void> {
  const claims = { sent: 3, failed: 0 };
  const records = { compared: 2, repaired: 1, unkept: 1, silent: 0 };
  const orphans = { repositories: 2, tags: 9, orphans: 1, unread: 0 };
  const steps = { cluster: { renewClaims: async () => claims, compareRecords: async () => records }, registry: { findOrphans: async () => orphans } };
  await lab.work('rome', world, steps);
  const sweep = await lab.client.workflow.start('sweepCluster', { workflowId: 'sweep/rome', taskQueue: 'kuik', args: [{ v: 1, cluster: 'rome' }] });
  await sweep.result();
  await save('sweepCluster', 'swept', sweep);
}

async function deleted(): Promise<void> {
  const claim = await unclaimed('deleted');
  const { keeper, task } = lab.handles(claim.destination);
  await keeper.result();
  await save('keepImage', 'deleted', keeper);
  await save('deleteImage', 'deleted', task);
}

async function refused(): Promise<void> {
  world.keeps.set('berlin', { reason: 'in-use', message: 'pod shop/web pulls from it' });
  const claim = await unclaimed('refused');
  await until(async () => (await lab.status(claim.destination))?.blocked);
  const { keeper, task } = lab.handles(claim.destination);
  await save('deleteImage', 'blocked', task);
  world.keeps.clear();
  await lab.keepers.retry(claim.destination);
  await keeper.result();
  await save('keepImage', 'deletion-blocked-then-retried', keeper);
}

async function stopped(): Promise<void> {
  const claim = await unclaimed('stopped', { tombstoneMs: 6_000_000 });
  await until(async () => world.records.get(`berlin ${claim.destination}`)?.retiringSince);
  await lab.keepers.claim({ ...claim, generation: 3 });
  await becomes(lab, claim, 'Mirrored');
  const { keeper, task } = lab.handles(claim.destination);
  await save('deleteImage', 'stopped-by-a-claim', task);
  await save('keepImage', 'deletion-stopped-by-a-claim', keeper);
}

/** A cluster whose claim found no keeper lets go later than the one whose claim did: to older releases that was no end. */
async function releasedElsewhere(): Promise<void> {
  const claim = await unclaimed('released-elsewhere', { retentionMs: 6_000 });
  const { keeper } = lab.handles(claim.destination);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await lab.keepers.release(claim.destination, { v: 1, cluster: 'paris', generation: 5 });
  await keeper.result();
  await save('keepImage', 'deleted-though-released-later', keeper);
}

/** Another image is wanted where a copy is retained: to older releases its place was free. */
async function takenOver(): Promise<void> {
  const claim = await unclaimed('taken-over', { retentionMs: 3_600_000 });
  const image = claim.image.replace('docker.io', 'quay.io') as Claim['image'];
  await lab.keepers.claim({ ...claim, cluster: 'paris', image, sources: [image] });
  await becomes(lab, claim, 'Mirrored');
  await save('keepImage', 'taken-over-while-retained', lab.handles(claim.destination).keeper);
}

async function unclaimed(name: string, some: Partial<Claim> = {}): Promise<Claim> {
  const claim = await mirrored(name, { retentionMs: 0, ...some });
  await lab.keepers.release(claim.destination, { v: 1, cluster: 'berlin', generation: 2 });
  return claim;
}

async function mirrored(name: string, some: Partial<Claim> = {}): Promise<Claim> {
  const claim = someClaim(name, some);
  await lab.keepers.claim(claim);
  await becomes(lab, claim, 'Mirrored');
  return claim;
}

async function becomes(at: Lab, { destination }: Claim, phase: string): Promise<void> {
  await until(async () => (await at.status(destination))?.phase === phase);
}

/** Whose machine recorded is nobody's business, and no difference between two recordings. */
async function save(workflow: string, name: string, handle: WorkflowHandle): Promise<void> {
  const file = join(folder, workflow, `${name}.json`);
  if (existsSync(file)) return;
  const text = (await historyText(handle)).replace(/"(identity|name)": "\d+@[^"]*"/g, '"$1": "kuik"');
  await mkdir(join(folder, workflow), { recursive: true });
  await writeFile(file, `${text}\n`);
}
