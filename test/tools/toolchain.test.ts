import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { pinnedVersion, programNamed, programs } from '../../tools/programs.js';
import { buildTool, cacheFolder, cacheKey, findTool, variableOf } from '../../tools/toolchain.js';
import { aMachine } from './fake-programs.js';

const crane = programNamed('crane');
const apiServer = programNamed('kube-apiserver');
const registry = programNamed('registry');

describe('finding a program', () => {
  test('a binary named by an environment variable wins over the PATH', async () => {
    const machine = aMachine();
    const path = machine.program('mine/crane', 'echo v9.9.9');
    machine.program('path/crane', 'echo v1.0.0');

    const tool = await findTool(crane, { ...machine.environment, KUIK_TOOL_CRANE: path });

    expect(tool).toMatchObject({ path, from: 'environment', version: 'v9.9.9' });
  });

  test.each([
    ['does not exist', '/nowhere/crane'],
    ['does not run', '/etc/hostname'],
  ])('an environment variable that names a binary which %s is an error, not a reason to build', async (_sentence, path) => {
    const finding = findTool(crane, { ...aMachine().environment, KUIK_TOOL_CRANE: path });

    await expect(finding).rejects.toThrow(`KUIK_TOOL_CRANE=${path} is not a crane that runs`);
  });

  test('a program on the PATH wins over one built before', async () => {
    const machine = aMachine();
    machine.go();
    await buildTool(crane, machine.environment);
    const path = machine.program('path/crane', 'echo v1.0.0');

    expect(await findTool(crane, machine.environment)).toMatchObject({ path, from: 'path', version: 'v1.0.0' });
  });

  test.each([
    ['does not run', 'exit 1'],
    ['is something else of the same name', 'echo "registry: manages the Windows registry, 1.0"'],
    ['is the registry of the generation before', 'echo "registry github.com/docker/distribution v2.8.2"'],
  ])('a program on the PATH that %s is passed over', async (_sentence, script) => {
    const machine = aMachine();
    machine.program('path/registry', script);

    expect(await findTool(registry, machine.environment)).toBeUndefined();
  });

  test('a program that was built is found again, with the version the project pins', async () => {
    const machine = aMachine();
    machine.go();
    const built = await buildTool(crane, machine.environment);

    expect(await findTool(crane, machine.environment)).toEqual({ ...built, from: 'cache' });
    expect(built.version).toBe(pinnedVersion(crane));
  });

  test('a program that was built is found although Go is gone', async () => {
    const machine = aMachine();
    machine.go();
    const built = await buildTool(crane, machine.environment);

    const tool = await findTool(crane, { ...machine.environment, PATH: '/nowhere' });

    expect(tool?.path).toBe(built.path);
  });

  test('a folder without its program does not count as built', async () => {
    const machine = aMachine();
    machine.go();
    mkdirSync(join(cacheFolder(machine.environment), await cacheKey(crane, machine.environment)), { recursive: true });

    expect(await findTool(crane, machine.environment)).toBeUndefined();
  });
});

describe('building a program', () => {
  test('two that ask at once share one build', async () => {
    const machine = aMachine();
    machine.go();

    const [one, other] = await Promise.all([buildTool(crane, machine.environment), buildTool(crane, machine.environment)]);

    expect(one.path).toBe(other.path);
    expect(machine.builds()).toBe(1);
    expect(readdirSync(dirname(one.path))).toEqual(['crane']);
  });

  test('a failed build says which program, where it is pinned, what Go said and what to do, and leaves nothing behind', async () => {
    const machine = aMachine();
    machine.go({ build: 'echo "dial tcp: lookup proxy.golang.org: no such host" >&2; exit 1' });

    const building = buildTool(apiServer, machine.environment);

    await expect(building).rejects.toThrow(/building kube-apiserver from tools\/go\/kubernetes failed:\n +dial tcp: lookup proxy.golang.org: no such host\n.*proxy.*put kube-apiserver on the PATH/s);
    expect(readdirSync(join(cacheFolder(machine.environment), await cacheKey(apiServer, machine.environment)))).toEqual([]);
  });

  test('a build that was interrupted leaves no program that could be used', async () => {
    const machine = aMachine();
    machine.go({ build: 'while [ "$1" != -o ]; do shift; done; echo half >"$2"; kill -9 $$' });

    await expect(buildTool(crane, machine.environment)).rejects.toThrow('building crane');

    expect(await findTool(crane, machine.environment)).toBeUndefined();
  });

  test.each([
    ['is missing', undefined, /there is no Go\. Go 1\.26 or newer .* install it from https:\/\/go\.dev/],
    ['is too old', 'go1.25.9', /Go 1\.25 is too old\. Go 1\.26 or newer/],
  ])('when Go %s, the error says which one to install', async (_sentence, version, message) => {
    const machine = aMachine();
    if (version !== undefined) machine.go({ version });

    await expect(buildTool(crane, machine.environment)).rejects.toThrow(message);
    expect(existsSync(cacheFolder(machine.environment))).toBe(false);
  });
});

describe('the cache', () => {
  test.each([
    ['in the home directory', {}, join(homedir(), '.cache/kuik/tools')],
    ['where the system keeps caches', { XDG_CACHE_HOME: '/var/cache' }, '/var/cache/kuik/tools'],
    ['where the user says', { XDG_CACHE_HOME: '/var/cache', KUIK_CACHE_DIR: '/big/disk' }, '/big/disk/tools'],
  ])('is %s', (_sentence, environment, folder) => {
    expect(cacheFolder(environment)).toBe(folder);
  });

  test('is keyed by pins, Go and platform', async () => {
    const machine = aMachine();
    machine.go({ version: 'go1.27.1' });

    expect(await cacheKey(crane, machine.environment)).toMatch(new RegExp(`^crane-[0-9a-f]{12}-go1\\.27-${process.platform}-${process.arch}$`));
  });

  test('holds what different pins build in different folders', async () => {
    const machine = aMachine();
    machine.go();

    const keys = await Promise.all(programs.map((program) => cacheKey(program, machine.environment)));

    expect(new Set(keys.map((key) => key.split('-').at(-4))).size).toBe(new Set(programs.map((program) => program.module)).size);
  });
});

describe('the pins', () => {
  test.each(programs)('$name has a version and a variable of its own', (program) => {
    expect(pinnedVersion(program)).toMatch(program.module === 'pause' ? /^ours$/ : /^\d+\.\d+\.\d+$/);
    expect(variableOf(program)).toMatch(/^KUIK_TOOL_[A-Z_]+$/);
  });

  test('a name nobody knows is answered with the names there are', () => {
    expect(() => programNamed('kubeadm')).toThrow(/there is no program kubeadm; known: .*kube-apiserver/);
  });
});
