/** `make demo`: starts everything, plays the story, stays up until Ctrl-C; `--once` ends after the story. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { Stage } from './stage.js';
import { story } from './story.js';

const once = process.argv.includes('--once');
const total = story.length + 1;
const began = performance.now();

async function main(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'kuik-demo-'));
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

  print(styleText('bold', 'kube-image-keeper: a registry goes away, and Pods do not notice'));
  let stage: Stage | undefined;
  try {
    heading(1, 'start real servers');
    stage = await Stage.open({ dir, ui: true, onStart: (what) => say(what) });
    for (const [index, step] of story.entries()) {
      if (stop.signal.aborted) throw new Error('interrupted');
      heading(index + 2, step.title);
      await step.play(stage, say);
    }
    print(styleText('green', `\nEvery step happened, in ${seconds()}.`));
    if (!once && !stop.signal.aborted) await stayUp(stage, stop.signal);
  } catch (error) {
    process.exitCode = stop.signal.aborted ? 130 : 1;
    print(styleText('red', `\n${error instanceof Error ? error.message : String(error)}`));
    if (!stop.signal.aborted) print(`Logs are in ${dir}`);
  } finally {
    await stage?.close();
    if (process.exitCode === undefined || stop.signal.aborted) await rm(dir, { recursive: true, force: true });
  }
}

async function stayUp(stage: Stage, signal: AbortSignal): Promise<void> {
  print(`\nEverything stays up. Try:
  export KUBECONFIG=${stage.api.kubeconfig}
  kubectl get kuik,ia
  bin/kuik explain pod/second -n default
  Temporal UI: ${stage.temporal.running.uiUrl ?? 'not started'}
Ctrl-C stops all of it.`);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  print('stopping');
}

function heading(step: number, title: string): void {
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

await main();
process.exit(); // a stage that opened only half way leaves servers running: they end with us, see tools/guard.ts
