/** The copy engine between real registries, checked with an independent client. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import 'reflect-metadata';
import { knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import { copyImage, createCopyEngine } from '../../src/registry/copy.js';
import type { EngineCall, ResolveRequest } from '../../src/registry/copy-engine.js';
import { createHttpRegistry, type HttpRegistry } from '../../src/registry/http/client.js';
import { issueLeaf, makeAuthority } from '../../src/webhook/x509.js';
import { writeImageLayout } from '../../tools/image.js';
import { startRegistry, toolOutput, type RegistryServer } from '../../tools/servers.js';
import { aCall } from '../support/images.js';

const call: EngineCall = { signal: new AbortController().signal, purpose: 'copy' };
const options = { settings: () => ({}), clock: Date.now, userAgent: 'kube-image-keeper/test' };

describe('between two real registries', () => {
  let source: RegistryServer;
  let mirror: RegistryServer;
  let registry: HttpRegistry;
  let digest: string;
  const layout = mkdtempSync(join(tmpdir(), 'kuik-layout-'));
  beforeAll(async () => {
    [source, mirror] = await Promise.all([startRegistry({ name: 'source' }), startRegistry({ name: 'mirror' })]);
    registry = createHttpRegistry(options);
    digest = await writeImageLayout(layout, { name: 'real', platforms: ['linux/amd64', 'linux/arm64'], layers: [{ seed: 'shared', size: 100_000 }, { seed: 'only {platform}', size: 2_000_000 }] });
    await crane('push', '--index', layout, `${source.address}/team/layout:1`);
    // crane pushes the layout's own index; the image is what it lists
    await crane('copy', `${source.address}/team/layout@${digest}`, `${source.address}/team/app:1`);
  });
  afterAll(async () => {
    await registry.close();
    await Promise.all([source.stop(), mirror.stop()]);
    rmSync(layout, { recursive: true });
  });

  function request(path: string, more: Partial<ResolveRequest> = {}): ResolveRequest {
    return {
      sources: [{ image: `${source.address}/team/app:1` as ImageName, as: [] }],
      destination: { image: `${mirror.address}/${path}` as ImageName, as: [] },
      platforms: [{ os: 'linux', architecture: 'arm64' }],
      copy: 'auto',
      pinned: false,
      ...more,
    };
  }
  const crane = async (...args: readonly string[]): Promise<string> => (await toolOutput('crane', [...args])).trim();

  test('the whole index arrives with its digest, and another client pulls it', async () => {
    const { published } = await copyImage(createCopyEngine(registry), request('whole:1', { copy: 'all' }), call);

    expect(published).toMatchObject({ digest: digest, strategy: 'all' });
    expect(await crane('digest', `${mirror.address}/whole:1`)).toBe(await crane('digest', `${source.address}/team/app:1`));
    expect(await crane('validate', '--remote', `${mirror.address}/whole:1`)).toContain('PASS');
  });

  test('distribution takes no sparse index, so auto rewrites, and another client pulls the one platform', async () => {
    const { published } = await copyImage(createCopyEngine(registry), request('reduced:1'), call);

    expect(published).toMatchObject({ strategy: 'rewrite', sourceDigest: digest, platforms: ['linux/arm64'] });
    expect(await crane('digest', `${mirror.address}/reduced:1`)).toBe(published.digest);
    expect(await crane('validate', '--remote', `${mirror.address}/reduced:1`)).toContain('PASS');
    expect(await createCopyEngine(registry).resolve(request('reduced:1'), call)).toMatchObject({ verdict: 'current', published: { strategy: 'rewrite' } });
  });

  test('copy: sparse is unsupported there, and leaves no tag', async () => {
    await expect(copyImage(createCopyEngine(registry), request('sparse:1', { copy: 'sparse' }), call)).rejects.toMatchObject({ code: 'unsupported', side: 'destination' });
    expect(await registry.head(knownImageRef(`${mirror.address}/sparse:1`), [], aCall())).toBe('missing');
  });

  test('a pinned image arrives whole under its anchor tag', async () => {
    const pinned = request(`pinned:kuik-sha256-${digest.slice(7)}`, { pinned: true, sources: [{ image: `${source.address}/team/app@${digest}` as ImageName, as: [] }] });

    const { published } = await copyImage(createCopyEngine(registry), pinned, call);

    expect(published).toMatchObject({ digest: digest, strategy: 'all' });
  });

  test('within one registry nothing is uploaded', async () => {
    const inside = request('inside:1', { destination: { image: `${source.address}/inside:1` as ImageName, as: [] } });
    expect(await copyImage(createCopyEngine(registry), inside, call)).toMatchObject({ verdict: 'copy', bytes: 0 });
  });
});

describe('a real registry with an authority of its own', () => {
  let server: RegistryServer;
  let authority: string;
  const dir = mkdtempSync(join(tmpdir(), 'kuik-tls-'));
  beforeAll(async () => {
    const day = 24 * 60 * 60_000;
    const root = await makeAuthority('test authority', Date.now(), day);
    const leaf = await issueLeaf(root, { dns: [], ips: ['127.0.0.1'] }, Date.now(), day);
    authority = root.certificate;
    const [certificateFile, keyFile] = [join(dir, 'tls.crt'), join(dir, 'tls.key')];
    // the chain: the health check of the server trusts what is in this file
    writeFileSync(certificateFile, `${leaf.certificate}\n${authority}\n`);
    writeFileSync(keyFile, leaf.privateKey);
    server = await startRegistry({ tls: { certificateFile, keyFile } });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(dir, { recursive: true });
  });

  test.each([
    ['is spoken to with that authority', () => ({ ca: authority }), 'missing'],
    ['is refused as tls with another authority', async () => ({ ca: (await makeAuthority('other', Date.now(), 60_000)).certificate }), 'tls'],
    ['is spoken to when nobody verifies', async () => ({ ca: (await makeAuthority('other', Date.now(), 60_000)).certificate, insecureSkipVerify: true }), 'missing'],
  ])('%s', async (_sentence, settingsFor, expected) => {
    const settings = await settingsFor();
    const registry = createHttpRegistry({ ...options, settings: () => settings });

    const seen = await registry.head(knownImageRef(`${server.address}/app:1`), [], aCall()).catch((error: { code: string }) => error.code);

    expect(seen).toBe(expected);
    await registry.close();
  });
});
