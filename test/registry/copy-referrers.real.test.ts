/** Signatures and the like between real registries, made and found by other clients. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ImageName } from '../../src/domain/image-ref.js';
import { copyImage, createCopyEngine } from '../../src/registry/copy.js';
import type { ResolveRequest } from '../../src/registry/copy-engine.js';
import { createHttpRegistry, type HttpRegistry } from '../../src/registry/http/client.js';
import { writeImageLayout } from '../../tools/image.js';
import { startRegistry, toolOutput, type RegistryServer } from '../../tools/servers.js';
import { walk } from '../support/walk.js';

let source: RegistryServer;
let mirror: RegistryServer;
let registry: HttpRegistry;
const dir = mkdtempSync(join(tmpdir(), 'kuik-referrers-'));
const call = { signal: new AbortController().signal, purpose: 'copy' } as const;
const crane = async (...args: readonly string[]): Promise<string> => (await toolOutput('crane', [...args])).trim();
/** regctl speaks TLS unless told per host, and keeps what it is told in a file. */
const regctl = async (...args: readonly string[]): Promise<string> => (await toolOutput('regctl', ['--host', `reg=${source.address},tls=disabled`, '--host', `reg=${mirror.address},tls=disabled`, ...args])).trim();

beforeAll(async () => {
  [source, mirror] = await Promise.all([startRegistry({ name: 'described' }), startRegistry({ name: 'mirror' })]);
  registry = createHttpRegistry({ settings: () => ({}), clock: Date.now, userAgent: 'kube-image-keeper/test' });
});
afterAll(async () => {
  await registry.close();
  await Promise.all([source.stop(), mirror.stop()]);
  rmSync(dir, { recursive: true });
});

test('what regctl attached to an index and to one of its images, and a tag as cosign makes it, are found by regctl and crane at the copy', async () => {
  const layout = join(dir, 'layout');
  const digest = await writeImageLayout(layout, { name: 'signed', platforms: ['linux/amd64', 'linux/arm64'], layers: [{ seed: 'layer {platform}', size: 5_000 }] });
  await crane('push', '--index', layout, `${source.address}/team/layout:1`);
  await crane('copy', `${source.address}/team/layout@${digest}`, `${source.address}/team/app:1`);
  const amd64 = await crane('digest', '--platform', 'linux/amd64', `${source.address}/team/app:1`);
  const file = join(dir, 'sbom.json');
  writeFileSync(file, '{"spdxVersion":"SPDX-2.3"}');
  for (const subject of ['1', amd64]) {
    const at = subject === '1' ? `${source.address}/team/app:1` : `${source.address}/team/app@${subject}`;
    await regctl('artifact', 'put', '--artifact-type', 'application/spdx+json', '--file', file, '--file-media-type', 'application/spdx+json', '--annotation', 'made=by regctl', '--subject', at);
  }
  await crane('copy', `${source.address}/team/app@${amd64}`, `${source.address}/team/app:${digest.replace(':', '-')}.sig`);

  const request: ResolveRequest = { sources: [{ image: `${source.address}/team/app:1` as ImageName, as: [] }], destination: { image: `${mirror.address}/team/app:1` as ImageName, as: [] }, platforms: [], copy: 'all', pinned: false, referrers: 'auto' };
  const { published } = await copyImage(createCopyEngine(registry), request, call);

  expect(published).toMatchObject({ digest, strategy: 'all' });
  expect(published.warnings).toBeUndefined();
  for (const subject of ['app:1', `app@${amd64}`]) {
    const listed = await regctl('artifact', 'list', '--format', '{{jsonPretty .}}', `${mirror.address}/team/${subject}`);
    expect(listed).toBe((await regctl('artifact', 'list', '--format', '{{jsonPretty .}}', `${source.address}/team/${subject}`)).replaceAll(source.address, mirror.address));
    expect(listed).toContain('application/spdx+json');
  }
  expect(await regctl('artifact', 'get', '--subject', `${mirror.address}/team/app:1`)).toContain('SPDX-2.3');
  expect(await crane('digest', `${mirror.address}/team/app:${digest.replace(':', '-')}.sig`)).toBe(amd64);
  expect(await walk(`${mirror.address}/team/app`, '1')).toEqual(await walk(`${source.address}/team/app`, '1'));
});
