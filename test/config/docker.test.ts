import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readDockerConfig } from '../../src/config/docker.js';

const dir = mkdtempSync(join(tmpdir(), 'kuik-docker-'));
afterAll(() => rmSync(dir, { recursive: true }));

function aHome(...files: string[]): string {
  const home = mkdtempSync(join(dir, 'home-'));
  for (const file of files) {
    mkdirSync(dirname(join(home, file)), { recursive: true });
    writeFileSync(join(home, file), file);
  }
  return home;
}

describe('the docker configuration of a user', () => {
  test.each([
    ['stands in the home', ['.docker/config.json', 'run/containers/auth.json'], {}, '.docker/config.json'],
    ['stands where DOCKER_CONFIG says', ['.docker/config.json', 'elsewhere/config.json'], { DOCKER_CONFIG: 'elsewhere' }, 'elsewhere/config.json'],
    ['may be that of podman', ['run/containers/auth.json'], {}, 'run/containers/auth.json'],
    ['may be named by REGISTRY_AUTH_FILE', ['auth.json', 'run/containers/auth.json'], { REGISTRY_AUTH_FILE: 'auth.json' }, 'auth.json'],
  ])('%s', (_sentence, files, variables, expected) => {
    const home = aHome(...files);
    const environment = { HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, join(home, value)])) };

    expect(readDockerConfig(environment)).toMatchObject({ file: join(home, expected), bytes: Buffer.from(expected) });
  });

  test('may be absent', () => {
    expect(readDockerConfig({ HOME: aHome() })).toBeUndefined();
    expect(readDockerConfig({})).toBeUndefined();
  });

  test('that is there and cannot be read is an error, not an absence', () => {
    const home = aHome('.docker/config.json/oops');

    expect(() => readDockerConfig({ HOME: home })).toThrow(/^\S+\/\.docker\/config\.json: EISDIR/);
  });
});
