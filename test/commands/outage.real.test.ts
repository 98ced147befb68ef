/** Commands that people leave open at night, while the line to the API server is cut and mended. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ImageList } from '../../src/commands/documents/images.js';
import type { Status } from '../../src/commands/documents/status.js';
import { Stage } from '../../tools/demo/stage.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder } from '../../tools/servers.js';
import { pretendPod, startKubelet, type Kubelet } from '../support/kubelet.js';
import { kuikOn } from '../support/kuik.js';
import { startRelay, type Relay } from '../support/relay.js';
import { applyQuickstart, createPod, push, until, untilMirrored } from '../support/stage.js';
import { hasTerminals, kuikOnTerminal } from '../support/terminal.js';
import { userWith } from '../support/users.js';

let stage: Stage;
let kubelet: Kubelet;
/** before the API server, for whom we watch */
let line: Relay;
/** names that line */
let kubeconfig: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('outage') });
  kubelet = await startKubelet(stage, { 'kuik-system/temporal-0:7233': stage.temporal.running.port });
  await pretendPod(stage, { namespace: 'kuik-system', name: 'temporal-0', component: 'temporal', ports: { grpc: 7233 } });
  await applyQuickstart(stage);
  await push(stage, 'web:1.0');
  await createPod(stage, 'web', stage.image());
  await untilMirrored(stage, stage.image());
  line = await startRelay(new URL(stage.api.url).host);
  kubeconfig = await throughLine(stage.api.kubeconfig);
}, 120_000);
afterEach(() => line.mend());
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await line?.close();
  await stage?.close();
  await kubelet?.close();
});

async function throughLine(file: string): Promise<string> {
  const through = `${file}-through-line`;
  await writeFile(through, (await readFile(file, 'utf8')).replace(stage.api.url, `https://${line.address}`));
  return through;
}

interface Watching {
  readonly output: () => string;
  readonly errors: () => string;
  readonly ended: Promise<number | null>;
  readonly interrupt: () => Promise<number | null>;
}

function watching(args: readonly string[], config = kubeconfig): Watching {
  const child = spawn(join(projectRoot(), 'bin', 'kuik'), [...args, '--kubeconfig', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let [output, errors] = ['', ''];
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { output: () => output, errors: () => errors, ended, interrupt: () => (child.kill('SIGINT'), ended) };
}

/** Objects that follow each other, each over several lines. */
function documents<T>(text: string): T[] {
  return text.split(/(?<=^\}\n)/m).filter((part) => part.endsWith('}\n')).map((part) => JSON.parse(part) as T);
}

const noAnswer = (command: string): RegExp => new RegExp(`^kuik ${command}: no answer since \\S+Z: .+; what is shown is from before, and kuik looks again\n`);
const bothNotes = (command: string): RegExp => new RegExp(`${noAnswer(command).source}kuik ${command}: answers again, after \\S+\n$`);
let pods = 0;
/** One more image in use, which the source does not have. */
async function oneMore(): Promise<string> {
  const name = `late-${(pods += 1)}`;
  await createPod(stage, name, stage.image(`${name}:1.0`));
  return name;
}

describe('while the API server is away', () => {
  test('kuik status -w -o json says so beside the data, and goes on with the next picture', async () => {
    const shown = watching(['status', '-w', '-o', 'json']);
    await until('the picture', async () => documents<Status>(shown.output()).length > 0);
    const before = documents<Status>(shown.output()).at(-1)?.images.used ?? 0;

    line.cut();
    await until('the note', async () => noAnswer('status').test(shown.errors()));
    await oneMore();
    line.mend();
    await until('the new picture', async () => documents<Status>(shown.output()).at(-1)?.images.used === before + 1);

    expect(await shown.interrupt()).toBe(130);
    expect(shown.errors()).toMatch(bothNotes('status'));
  }, 90_000);

  test('kuik status -w says so beside its lines', async () => {
    const shown = watching(['status', '-w']);
    await until('a line', async () => shown.output().includes('images mirrored'));

    line.cut();
    await until('the note', async () => noAnswer('status').test(shown.errors()), 40_000);
    const { length } = shown.output();
    line.mend();
    await until('the next line', async () => shown.output().length > length, 40_000);

    expect(await shown.interrupt()).toBe(130);
    expect(shown.output()).toMatch(/^(?:\d+ of \d+ images mirrored, .*\n)+$/);
  }, 120_000);

  (hasTerminals ? test : test.skip)('kuik status -w on a terminal says so above the last picture, until the next', async () => {
    const shown = kuikOnTerminal({ columns: 100, rows: 30 }, ['status', '-w', '--kubeconfig', kubeconfig]);
    try {
      await until('the picture', async () => shown.screen.text.includes('IMAGES'));

      line.cut();
      await until('the note', async () => /^NO ANSWER since \S+Z$/m.test(shown.screen.text));
      expect(shown.screen.text).toMatch(/^NO ANSWER since \S+Z\n {2}API server not reachable to .*\n {2}what follows is from before; kuik looks again\n\nkuik /);
      expect(shown.screen.text).toContain('IMAGES');
      line.mend();
      await until('the note to go', async () => !shown.screen.text.includes('NO ANSWER'), 30_000);

      expect(shown.screen.text).toMatch(/^kuik /);
      shown.type('\x03');
      expect(await shown.ended).toEqual({ code: 130, isAsBefore: true });
    } finally {
      shown.kill();
    }
  }, 90_000);

  test('kuik images -w -o json says so beside the data, and goes on with what has changed', async () => {
    const shown = watching(['images', '-w', '-o', 'json']);
    const images = (): string[] => documents<ImageList>(shown.output()).flatMap(({ items }) => items.map(({ image }) => image));
    await until('the picture', async () => images().includes(stage.image()));

    line.cut();
    await until('the note', async () => noAnswer('images').test(shown.errors()));
    const name = await oneMore();
    line.mend();
    await until('the new image', async () => images().includes(stage.image(`${name}:1.0`)));

    expect(await shown.interrupt()).toBe(130);
    expect(shown.errors()).toMatch(bothNotes('images'));
    expect(images().filter((image) => image === stage.image())).toHaveLength(1);
  }, 90_000);

  test('kuik logs -w says so, and goes on with the story', async () => {
    const log = watching(['logs', stage.image(), '-w']);
    await until('the story so far', async () => log.output().includes('copied and verified'));

    line.cut();
    await until('the note', async () => noAnswer('logs').test(log.errors()), 40_000);
    await kuikOn(stage, 'retry', stage.image());
    line.mend();
    await until('the next run', async () => /is as it was: sha256/.test(log.output()), 60_000);

    expect(await log.interrupt()).toBe(130);
    expect(log.errors()).toMatch(bothNotes('logs'));
    expect(log.output().match(/keeper begins/g)).toHaveLength(1);
  }, 120_000);

  test('Ctrl-C ends kuik status -w: exit 130', async () => {
    const shown = watching(['status', '-w']);
    await until('a line', async () => shown.output().includes('images mirrored'));
    line.cut();
    await until('the note', async () => noAnswer('status').test(shown.errors()), 40_000);

    expect(await shown.interrupt()).toBe(130);
  }, 60_000);

  test.each(['status', 'images'])('kuik %s -w that begins then ends at once: exit 1', async (command) => {
    line.cut();
    const shown = watching([command, '-w']);

    expect(await shown.ended).toBe(1);
    expect(shown.errors()).toMatch(/API server not reachable to .*; check it with kubectl cluster-info/);
  });
});

test('while Temporal is away kuik logs -w says so, and goes on with the story', async () => {
  const log = watching(['logs', stage.image(), '-w'], stage.api.kubeconfig);
  await until('the story so far', async () => log.output().includes('copied and verified'));
  const runs = (): number => log.output().match(/is as it was: sha256/g)?.length ?? 0;
  const before = runs();

  await stage.temporal.stop();
  await until('the note', async () => noAnswer('logs').test(log.errors()), 60_000);
  expect(log.errors()).toContain('Temporal does not answer (');
  await stage.temporal.start();
  await kuikOn(stage, 'retry', stage.image());
  await until('the next run', async () => runs() > before, 60_000);

  expect(await log.interrupt()).toBe(130);
}, 180_000);

describe('a right that is taken away, against which no waiting helps,', () => {
  const rights = [{ apiGroups: ['', 'kuik.enix.io'], resources: ['*'], verbs: ['get', 'list', 'watch'] }];

  test('ends kuik status -w, which names it: exit 1', async () => {
    const shown = watching(['status', '-w', '-o', 'json'], await userWith(stage, 'leaves', rights));
    await until('the picture', async () => documents<Status>(shown.output()).length > 0);

    await stage.kubectl('delete', 'clusterrolebinding', 'leaves');

    expect(await shown.ended).toBe(1);
    expect(shown.errors()).toMatch(/^kuik status: not allowed to list \S+: grant verb list on \S+/);
  }, 60_000);

  test('while nobody answered ends kuik images -w a moment after that: exit 1', async () => {
    const shown = watching(['images', '-w', '-o', 'json'], await throughLine(await userWith(stage, 'away', rights)));
    await until('the picture', async () => documents<ImageList>(shown.output()).length > 0);

    line.cut();
    await until('the note', async () => noAnswer('images').test(shown.errors()));
    await stage.kubectl('delete', 'clusterrolebinding', 'away');
    line.mend();

    expect(await shown.ended).toBe(1);
    expect(shown.errors()).toMatch(/kuik images: not allowed to (?:list|watch) \S+: grant verb (?:list|watch) on \S+.*\n$/);
  }, 90_000);
});
