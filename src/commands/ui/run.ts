import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { readEnvironment } from '../../config/environment.js';
import { askCluster } from '../ask-cluster.js';
import { complain } from '../command-line.js';
import { findInstallation } from '../find-installation.js';
import { environmentFor } from '../status/read.js';
import { openTemporal } from '../temporal-way.js';
import type { UiOptions } from '../ui.js';
import { imageAddress, listAddress, ruleAddress, type UiPlace } from './address.js';
import { findSubject, type Subject } from './find.js';

export async function runUi(what: string | undefined, options: UiOptions): Promise<number> {
  const told = environmentFor(options, readEnvironment());
  let wasShown = false;
  const code = await askCluster('ui', options, async (cluster, signal) => {
    const environment = await findInstallation(cluster, told);
    if (typeof environment === 'string') return complain('ui', environment);
    const subject = await findSubject(what, cluster, environment.installNamespace);
    if (typeof subject === 'string') return complain('ui', subject);
    const way = await openTemporal(cluster, environment, 'ui', options.port);
    if (typeof way === 'string') return complain('ui', way);
    try {
      const address = addressOf(subject, way);
      process.stdout.write(`${address}\n`);
      process.stderr.write('Ctrl-C ends it\n');
      wasShown = true;
      if (options.open && process.stdout.isTTY) openBrowser(address);
      if (!signal.aborted) await once(signal, 'abort');
      return 0;
    } finally {
      await way.close();
    }
  });
  return wasShown ? 0 : code; // Ctrl-C is how it ends
}

function addressOf(subject: Subject, place: UiPlace): string {
  if ('destinations' in subject) return imageAddress(place, subject.destinations);
  return 'rule' in subject ? ruleAddress(place, subject.rule) : listAddress(place);
}

const openers: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''], linux: ['xdg-open'] };

/** Where there is no browser the address on the screen has to do. */
function openBrowser(address: string): void {
  const [command, ...args] = openers[process.platform] ?? [];
  if (command === undefined) return;
  const child = spawn(command, [...args, address], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
