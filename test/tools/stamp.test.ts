import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stampOf, unstamped } from '../../tools/release/stamp.js';

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'kuik-stamp-')));
afterAll(() => rmSync(dir, { recursive: true }));

test('files that are no repository have no stamp, and are built all the same', async () => {
  expect(await stampOf(dir, undefined)).toEqual(unstamped);
});

const hasGit = spawnSync('git', ['--version']).status === 0;
const withGit = hasGit ? describe : describe.skip;

withGit(`a repository${hasGit ? '' : ' (not run: needs git)'}`, () => {
  const repository = join(dir, 'repository');
  const env = { ...process.env, GIT_AUTHOR_DATE: '2026-11-28T15:30:00+01:00', GIT_COMMITTER_DATE: '2026-11-28T15:30:00+01:00' };
  const git = (...args: string[]): string => execFileSync('git', ['-C', repository, '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], { env, encoding: 'utf8' }).trim();
  beforeAll(() => {
    mkdirSync(join(repository, 'below'), { recursive: true });
    writeFileSync(join(repository, 'file'), 'one');
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '--message=first');
  });

  test('is stamped with its commit and the time of that, whenever it is built', async () => {
    expect(await stampOf(repository, undefined)).toEqual({ revision: git('rev-parse', 'HEAD'), built: '2026-11-28T14:30:00.000Z' });
  });

  test('takes the time it is given, as reproducible builds do', async () => {
    expect((await stampOf(repository, '0')).built).toBe('1970-01-01T00:00:00.000Z');
  });

  test('does not speak for a folder below it: its commit is not of that', async () => {
    expect(await stampOf(join(repository, 'below'), undefined)).toEqual(unstamped);
  });

  test('whose files were changed says so', async () => {
    writeFileSync(join(repository, 'file'), 'two');

    expect((await stampOf(repository, undefined)).revision).toBe(`${git('rev-parse', 'HEAD')}-dirty`);
  });
});
