import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { readEnvironment } from '../../config/environment.js';
import { askCluster } from '../ask-cluster.js';
import { agrees } from '../ask-person.js';
import type { BundleOptions } from '../bundle.js';
import { columns } from '../columns.js';
import { complain } from '../command-line.js';
import { environmentFor, readStatus } from '../status/read.js';
import { readBuild, versionText } from '../version.js';
import { gather } from './gather.js';
import { tarOf, type ArchivedFile } from './tar.js';

export async function runBundle(options: BundleOptions): Promise<number> {
  const environment = environmentFor(options, readEnvironment());
  const at = new Date(Date.now());
  const name = options.outputFile ?? `kuik-bundle-${at.toISOString().replace(/[-:]|\.\d+/g, '')}.tar.gz`;
  return askCluster('bundle', options, async (cluster, signal) => {
    const gathered = await gather(cluster, { namespace: environment.installNamespace, logs: options.logs, status: () => readStatus(cluster, environment), onProgress: progress() });
    const files = [versionFile(at), ...gathered];

    process.stderr.write(`${contentsText(files)}\n`);
    if (options.dryRun !== 'none') return 0;
    if (options.yes !== true && !(await agrees(`Write these ${files.length} files to ${name}? [y/N] `, signal))) return complain('bundle', 'nothing was written; add --yes to do it without a question');
    const folder = name.replace(/^.*\//, '').replace(/\.tar\.gz$|\.tgz$/, '');
    // only its owner reads it: names of images and Pods are nobody else's business
    const archive = await promisify(gzip)(tarOf(files.map(({ path, content }) => ({ path: `${folder}/${path}`, content })), at.getTime()));
    try {
      await writeFile(name, archive, { mode: 0o600 });
    } catch (error) {
      return complain('bundle', `--output-file ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    process.stdout.write(`${name}\n`);
    return 0;
  });
}

function versionFile(at: Date): ArchivedFile {
  return { path: 'version.txt', content: `${versionText(readBuild())}, ${at.toISOString()}\n` };
}

function contentsText(files: readonly ArchivedFile[]): string {
  const rows = files.map(({ path, content }) => [path, `${(Buffer.byteLength(content) / 1000).toFixed(1)} kB`]);
  return columns([['FILE', 'SIZE'], ...rows]);
}

/** One line that is written again and again, on a terminal only. */
function progress(): (what: string) => void {
  return (what) => void (process.stderr.isTTY && process.stderr.write(`\rreading ${what}\x1b[K\r`));
}
