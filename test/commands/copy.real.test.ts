import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeTlsFiles } from '../../bench/support/certificate.js';
import { writeImageLayout, type ImageSpec } from '../../tools/image.js';
import { projectRoot } from '../../tools/programs.js';
import { runTool, scratchFolder, startRegistry, toolOutput, type RegistryServer } from '../../tools/servers.js';
import { startRelay } from '../support/relay.js';
import { until } from '../support/until.js';

let source: RegistryServer;
let mirror: RegistryServer;
let closed: RegistryServer;
const home = scratchFolder('home');

const web: ImageSpec = {
  name: 'library/web:1.0',
  platforms: ['linux/amd64', 'linux/arm64'],
  layers: [{ seed: 'shared', size: 200_000 }, { seed: 'web {platform}', size: 50_000 }],
};
const heavy: ImageSpec = { name: 'library/heavy:1.0', platforms: ['linux/amd64'], layers: [{ seed: 'heavy', size: 4 * 1024 * 1024 }] };

beforeAll(async () => {
  [source, mirror, closed] = await Promise.all([startRegistry({ name: 'source' }), startRegistry({ name: 'mirror' }), startRegistry({ name: 'closed', htpasswd: { me: 'secret' } })]);
  for (const spec of [web, heavy]) {
    const layout = scratchFolder('layout');
    await writeImageLayout(layout, spec);
    await toolOutput('crane', ['push', layout, `${source.address}/${spec.name}`]);
  }
});

afterAll(async () => {
  for (const registry of [source, mirror, closed]) await registry?.stop();
});

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Environment {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function start(args: readonly string[], { env }: Environment = {}): ChildProcess & { readonly ended: Promise<Ran> } {
  const child = spawn(join(projectRoot(), 'bin', 'kuik'), ['copy', ...args], { env: { ...process.env, HOME: home, DOCKER_CONFIG: home, NODE_OPTIONS: '', ...env } });
  const code = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const ended = Promise.all([text(child.stdout), text(child.stderr), code]).then(([stdout, stderr, status]) => ({ stdout, stderr, code: status }));
  return Object.assign(child, { ended });
}

function kuikCopy(args: readonly string[], environment: Environment = {}): Promise<Ran> {
  const child = start(args, environment);
  child.stdin?.end(environment.input);
  return child.ended;
}

const digestOf = (image: string): Promise<string> => toolOutput('crane', ['digest', image]);

describe('kuik copy between two real registries', () => {
  test('makes a copy that another client finds whole, with the same digest', async () => {
    const [from, to] = [`${source.address}/library/web:1.0`, `${mirror.address}/copies/web:1.0`];

    const ran = await kuikCopy([from, to]);

    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('copied') });
    expect(await digestOf(to)).toBe(await digestOf(from));
    for (const platform of web.platforms) await toolOutput('crane', ['validate', '--platform', platform, '--remote', to]);
  });

  test('sends nothing when the copy is there', async () => {
    const [from, to] = [`${source.address}/library/web:1.0`, `${mirror.address}/again/web:1.0`];
    await kuikCopy([from, to]);

    const ran = await kuikCopy([from, to, '-o', 'json']);

    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ apiVersion: 'cli.kuik.enix.io/v1', kind: 'CopyResult', verdict: 'current', bytes: 0, digest: await digestOf(from) });
  });

  test('copies what there is of the platforms asked for, and exits with 2 when one is missing', async () => {
    const to = `${mirror.address}/partly/web:1.0`;

    const ran = await kuikCopy([`${source.address}/library/web:1.0`, to, '--platform', 'linux/arm64', '--platform', 'linux/s390x', '-o', 'json']);

    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout)).toMatchObject({ verdict: 'copied', platforms: ['linux/arm64'], missingPlatforms: ['linux/s390x'] });
    await toolOutput('crane', ['validate', '--platform', 'linux/arm64', '--remote', to]);
  });

  test('says that a platform is missing every time it is asked, not only when it copies', async () => {
    const args = [`${source.address}/library/web:1.0`, `${mirror.address}/whole/web:1.0`, '--strategy', 'all', '--platform', 'linux/arm64', '--platform', 'linux/s390x', '-o', 'json'];

    for (const verdict of ['copied', 'current']) {
      const ran = await kuikCopy(args);

      expect(ran.code).toBe(2);
      expect(JSON.parse(ran.stdout)).toMatchObject({ verdict, missingPlatforms: ['linux/s390x'] });
    }
  });

  test('copies the rest of a list when one line fails, and says what to do about that one', async () => {
    const good = `${mirror.address}/list/web:1.0`;
    const list = `${source.address}/library/absent:1 ${mirror.address}/list/absent:1\n${source.address}/library/web:1.0 ${good}\n`;

    const ran = await kuikCopy(['--from-file', '-'], { input: list });

    expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/library\/absent:1 -> .*missing.*; check the name and the tag/) });
    expect(await digestOf(good)).toBe(await digestOf(`${source.address}/library/web:1.0`));
  });

  test('reads the whole list before it touches a registry', async () => {
    const to = `${mirror.address}/careful/web:1.0`;

    const ran = await kuikCopy(['--from-file', '-'], { input: `${source.address}/library/web:1.0 ${to}\nnonsense\n` });

    expect(ran).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('standard input:2: expected two words') });
    expect((await runTool('crane', ['digest', to])).code).not.toBe(0);
  });

  test('that is interrupted exits with 130, publishes nothing, and goes on when it is run again', async () => {
    const far = await startRelay(source.address);
    const [from, to] = [`${far.address}/library/heavy:1.0`, `${mirror.address}/slow/heavy:1.0`];
    try {
      far.limit(500_000);
      const running = start([from, to]);
      await until(() => far.received() > 300_000);
      running.kill('SIGINT');

      expect(await running.ended).toMatchObject({ code: 130, stderr: expect.stringContaining('0 of 1 images are complete') });
      expect((await runTool('crane', ['digest', to])).code).not.toBe(0);

      far.limit(undefined);
      expect(await kuikCopy([from, to])).toMatchObject({ code: 0 });
      expect(await digestOf(to)).toBe(await digestOf(`${source.address}/library/heavy:1.0`));
    } finally {
      await far.close();
    }
  });
});

describe('kuik copy to a registry that wants to know who we are', () => {
  const pair = (): readonly [string, string] => [`${source.address}/library/web:1.0`, `${closed.address}/mine/web:1.0`];

  test('fails without credentials, and says how to log in', async () => {
    const ran = await kuikCopy([...pair()]);

    expect(ran).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/ on destination 127\.0\.0\.1:.*docker login 127\.0\.0\.1:/) });
  });

  test('uses the credentials of docker login', async () => {
    const config = scratchFolder('docker');
    writeFileSync(join(config, 'config.json'), JSON.stringify({ auths: { [closed.address]: { auth: Buffer.from('me:secret').toString('base64') } } }));

    expect(await kuikCopy([...pair()], { env: { DOCKER_CONFIG: config } })).toMatchObject({ code: 0, stdout: expect.stringContaining('copied') });
  });

  test('says that the configuration of docker cannot be read, and ends', async () => {
    const config = scratchFolder('docker');
    mkdirSync(join(config, 'config.json'));
    const child = start([...pair()], { env: { DOCKER_CONFIG: config } });
    const impatient = setTimeout(() => child.kill('SIGKILL'), 5_000);

    const ran = await child.ended;
    clearTimeout(impatient);

    expect(ran).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(/^kuik copy: \S+\/config\.json: EISDIR.*; make it readable, or set DOCKER_CONFIG to a folder without one\n$/) });
  });

  test('asks the credential helper that docker would ask', async () => {
    const config = scratchFolder('docker');
    writeFileSync(join(config, 'config.json'), JSON.stringify({ credHelpers: { [closed.address]: 'test' } }));
    writeFileSync(join(config, 'docker-credential-test'), `#!/bin/sh\n[ "$1" = get ] && [ "$(cat)" = ${closed.address} ] && echo '{"ServerURL":"","Username":"me","Secret":"secret"}'\n`);
    chmodSync(join(config, 'docker-credential-test'), 0o755);

    const ran = await kuikCopy([pair()[0], `${closed.address}/helped/web:1.0`], { env: { DOCKER_CONFIG: config, PATH: `${config}:${process.env['PATH']}` } });

    expect(ran).toMatchObject({ code: 0 });
    expect(ran.stderr).not.toContain('secret');
  });
});

describe('kuik copy to a registry with an authority of its own', () => {
  test('speaks TLS where the authority is named, and to nobody whom another one vouches for', async () => {
    const [ours, others] = [await makeTlsFiles(), await makeTlsFiles()];
    const secure = await startRegistry({ name: 'secure', tls: ours });
    const [from, to] = [`${source.address}/library/web:1.0`, `${secure.address}/safe/web:1.0`];
    try {
      const refused = await kuikCopy([from, to, '--ca-file', `${secure.address}=${others.caFile}`]);
      const ran = await kuikCopy([from, to, '--ca-file', `${secure.address}=${ours.caFile}`, '-o', 'json']);

      expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/destination 127\.0\.0\.1:.*--ca-file 127/) });
      expect(ran.code).toBe(0);
      expect(JSON.parse(ran.stdout)).toMatchObject({ verdict: 'copied', digest: await digestOf(from) });
    } finally {
      await secure.stop();
    }
  });
});
