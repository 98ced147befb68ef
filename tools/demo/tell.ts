/** Plays a story on a terminal: steps with their times, Ctrl-C at any moment, and everything ended afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';

export interface Telling<Scene> {
  readonly title: string;
  /** starts the servers; told what has just started */
  open(dir: string, onStart: (what: string) => void): Promise<Scene>;
  readonly steps: readonly { readonly title: string; play(scene: Scene, say: (line: string) => void): Promise<void> }[];
  /** what a person may try while everything stays up */
  hints(scene: Scene): Promise<readonly string[]> | readonly string[];
  close(scene: Scene): Promise<void>;
}

const began = performance.now();

/** @param once ends after the story instead of staying up until Ctrl-C */
export async function tell<Scene>(telling: Telling<Scene>, once: boolean): Promise<void> {
  const { steps } = telling;
  const total = steps.length + 1;
  const dir = await mkdtemp(join(tmpdir(), 'kuik-demo-'));
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

  print(styleText('bold', telling.title));
  let scene: Scene | undefined;
  try {
    heading(1, total, 'start real servers');
    scene = await unlessStopped(telling.open(dir, say), stop.signal);
    for (const [index, step] of steps.entries()) {
      heading(index + 2, total, step.title);
      await unlessStopped(step.play(scene, say), stop.signal);
    }
    print(styleText('green', `\nEvery step happened, in ${seconds()}.`));
    if (!once && !stop.signal.aborted) await stayUp(await telling.hints(scene), stop.signal);
  } catch (error) {
    process.exitCode = stop.signal.aborted ? 130 : 1;
    print(styleText('red', `\n${error instanceof Error ? error.message : String(error)}`));
    if (!stop.signal.aborted) print(`Logs are in ${dir}`);
  } finally {
    if (scene !== undefined) await telling.close(scene);
    if (process.exitCode === undefined || stop.signal.aborted) await rm(dir, { recursive: true, force: true });
  }
}

/** What it was about goes on for a moment, and fails once its servers end: nobody listens any more. */
async function unlessStopped<T>(doing: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(new Error('interrupted'));
    signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
  });
  stopped.catch(() => undefined);
  doing.catch(() => undefined);
  return Promise.race([doing, stopped]);
}

async function stayUp(hints: readonly string[], signal: AbortSignal): Promise<void> {
  print(['\nEverything stays up. Try:', ...hints.map((hint) => `  ${hint}`), 'Ctrl-C stops all of it.'].join('\n'));
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  print('stopping');
}

function heading(step: number, total: number, title: string): void {
  print(`\n${styleText('cyan', `${step}/${total}`)} ${styleText('bold', title)}  ${styleText('dim', seconds())}`);
}

function say(line: string): void {
  print(`    ${line.replaceAll('\n', '\n    ')}`);
}

function seconds(): string {
  return `${((performance.now() - began) / 1000).toFixed(1)} s`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
