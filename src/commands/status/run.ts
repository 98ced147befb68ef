import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEnvironment } from '../../config/environment.js';
import { wantsNoColor } from '../../config/terminal.js';
import { askCluster } from '../ask-cluster.js';
import { complain } from '../command-line.js';
import type { Status } from '../documents/status.js';
import { findInstallation } from '../find-installation.js';
import { Outage, untilAnswered, type Silence } from '../outage.js';
import { documentText, isData, printDocument } from '../output.js';
import { Redraw, sizeOf } from '../redraw.js';
import type { StatusOptions } from '../status.js';
import { fitting } from '../text-width.js';
import { environmentFor, readStatus } from './read.js';
import { openCopyWatch } from './progress.js';
import { statusLine, statusScreen } from './report.js';

export async function runStatus(options: StatusOptions): Promise<number> {
  const told = environmentFor(options, readEnvironment());
  return askCluster('status', options, async (cluster, signal) => {
    const environment = await findInstallation(cluster, told);
    if (typeof environment === 'string') return complain('status', environment);
    const first = await readStatus(cluster, environment);
    if (options.watch === true) {
      const watch = await openCopyWatch(cluster, environment);
      try {
        return await watchStatus(await watch.see(first), async () => watch.see(await readStatus(cluster, environment)), options, signal);
      } finally {
        await watch.close();
      }
    }
    if (isData(options.output)) await printDocument(first, options.output);
    else process.stdout.write(statusScreen(first, { now: Date.now(), form: options.output }));
    return codeOf(first);
  });
}

function codeOf({ troubles }: Status): 0 | 2 {
  return troubles.length === 0 ? 0 : 2;
}

const drawEveryMs = 2_000;
const lineEveryMs = 10_000;

/** Draws again and again on a terminal; elsewhere prints data when it is other data, or a line every ten seconds. */
async function watchStatus(first: Status, read: () => Promise<Status>, { output }: StatusOptions, signal: AbortSignal): Promise<number> {
  const isDrawn = process.stdout.isTTY && !wantsNoColor() && !isData(output);
  const screen = new Redraw(process.stdout);
  let seen = { status: first, at: Date.now() };
  const draw = (): void => screen.draw(cut(`${silenceText(outage.silence)}${statusScreen(seen.status, { now: seen.at, form: output === 'wide' ? 'wide' : 'table' })}`));
  const outage: Outage = new Outage({ say: (text) => (isDrawn ? draw() : complain('status', text)) });
  let last = '';
  for (;;) {
    if (isData(output)) {
      const text = await documentText(seen.status, output, true);
      if (text !== last) process.stdout.write(text);
      last = text;
    } else if (isDrawn) draw();
    else process.stdout.write(`${statusLine(seen.status)}\n`);
    await sleep(isDrawn || isData(output) ? drawEveryMs : lineEveryMs, undefined, { signal }).catch(() => undefined);
    const status = await untilAnswered(read, { outage, signal });
    if (status !== undefined) seen = { status, at: Date.now() };
    if (!signal.aborted) continue;
    if (isDrawn) draw(); // over the mark of Ctrl-C, so that the prompt finds an empty line
    return codeOf(seen.status);
  }
}

/** Above the picture: what is below may be cut. */
function silenceText(silence: Silence | undefined): string {
  return silence === undefined ? '' : `NO ANSWER since ${silence.since}\n  ${silence.why}\n  what follows is from before; kuik looks again\n\n`;
}

/** No line is wider than the terminal, and none is below it, or erasing would go wrong. */
function cut(text: string): readonly string[] {
  const { columns, rows } = sizeOf(process.stdout);
  return text.trimEnd().split('\n').slice(0, rows - 1).map((line) => fitting(line, columns - 1));
}
