/** Which commit a build is of: the same for the same commit, whenever and wherever it is built. */
import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import process from 'node:process';
import { promisify } from 'node:util';
import type { Build } from '../../src/commands/version.js';

export type Stamp = Pick<Build, 'revision' | 'built'>;

export const unstamped: Stamp = { revision: '', built: '' };

/**
 * @param checkout whose commit it is; a copy of the files without git, or inside somebody else's repository, has none
 * @param epoch `SOURCE_DATE_EPOCH`: seconds, instead of the time of the commit
 * @see https://reproducible-builds.org/specs/source-date-epoch/
 */
export async function stampOf(checkout: string, epoch = process.env['SOURCE_DATE_EPOCH']): Promise<Stamp> {
  const git = async (...args: string[]): Promise<string> => (await promisify(execFile)('git', ['-C', checkout, ...args])).stdout.trim();
  try {
    if ((await git('rev-parse', '--show-toplevel')) !== (await realpath(checkout))) return unstamped;
    const [commit = '', committedAt = ''] = (await git('show', '--no-patch', '--format=%H %ct', 'HEAD')).split(' ');
    const isDirty = (await git('status', '--porcelain', '--untracked-files=no')) !== '';
    return { revision: `${commit}${isDirty ? '-dirty' : ''}`, built: new Date(Number(epoch ?? committedAt) * 1000).toISOString() };
  } catch {
    return unstamped; // no git, or no repository: the build is as good, and says less
  }
}
