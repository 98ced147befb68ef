/** `kuik logs` and `kuik ui`: through the API server, whose way to Pods ends at a scripted kubelet, to the real Temporal and its UI. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import type { ImageStoryList } from '../../src/commands/documents/logs.js';
import type { ImageName, PlaceId } from '../../src/domain/image-ref.js';
import { createKeeperClient } from '../../src/temporal/client.js';
import { Stage } from '../../tools/demo/stage.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder, toolOutput } from '../../tools/servers.js';
import { readDocument } from '../support/documents.js';
import { aClaim } from '../support/keeper.js';
import { pretendPod, startKubelet, type Kubelet } from '../support/kubelet.js';
import { kuikAs, kuikOn, type Ended } from '../support/kuik.js';
import { applyQuickstart, createPod, push, recordOf, until, untilMirrored } from '../support/stage.js';
import { userWith } from '../support/users.js';

let stage: Stage;
let kubelet: Kubelet;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('histories'), ui: true });
  const { port, uiUrl } = stage.temporal.running;
  kubelet = await startKubelet(stage, { 'kuik-system/temporal-0:7233': port, 'kuik-system/temporal-0:8080': Number(new URL(uiUrl!).port) });
  await pretendPod(stage, { namespace: 'kuik-system', name: 'temporal-0', component: 'temporal', ports: { grpc: 7233, ui: 8080 } });
  await applyQuickstart(stage);
  await push(stage, 'web:1.0');
  await createPod(stage, 'web', stage.image());
  await untilMirrored(stage, stage.image());
});
const children = new Set<ChildProcess>();
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await stage?.close();
  await kubelet?.close();
});

const kuik = (...args: string[]): Promise<Ended> => kuikOn(stage, ...args);

/** A command that stays until it is interrupted. */
function staying(...args: string[]): { readonly output: () => string; readonly end: () => Promise<number | null> } {
  const child = spawn(join(projectRoot(), 'bin', 'kuik'), [...args, '--kubeconfig', stage.api.kubeconfig], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  return { output: () => output, end: () => (child.kill('SIGINT'), ended) };
}

describe('kuik logs', () => {
  test('tells the story of a copy, from its keeper and its run: exit 0', async () => {
    const { code, output, errors } = await kuik('logs', stage.image());

    expect(errors).toBe('');
    expect(output).toMatch(new RegExp(`^# ${stage.image()} -> ${stage.copyOf()}\\n`));
    expect(output).toMatch(/Z {2}keep {10}keeper begins\n/);
    expect(output).toMatch(/ {2}keep {10}claimed by cluster \S+ for ClusterImageSetMirror\/everything\n/);
    expect(output).toMatch(/ {2}task \S{7} {2}copyPlatform linux\/amd64, 1\.\d MB: done\n/);
    expect(output).toMatch(/ {2}task \S{7} {2}copied and verified: sha256:\S+ \(\w+\), linux\/amd64/);
    expect(code).toBe(0);
    expect(kubelet.forwarded).toContain('kuik-system/temporal-0:7233');
  });

  test('prints data as its schema says', async () => {
    const { items } = readDocument<ImageStoryList>('ImageStoryList', (await kuik('logs', stage.image(), '-o', 'json')).output);

    expect(items).toMatchObject([{ image: stage.image(), destination: stage.copyOf(), source: 'temporal' }]);
    expect(items[0]?.lines.at(0)).toMatchObject({ workflowId: `keep/${stage.copyOf()}`, what: 'keeper begins' });
  });

  test('-w goes on with what happens, until Ctrl-C: exit 130', async () => {
    const log = staying('logs', stage.image(), '-w');
    await until('the story so far', async () => log.output().includes('copied and verified'));

    await kuik('retry', stage.image());
    await until('the next run', async () => /is as it was: sha256/.test(log.output()));

    expect(await log.end()).toBe(130);
    expect(log.output().match(/keeper begins/g)).toHaveLength(1);
  });

  test('without the right to forward a port tells what the record and Events know, and says so: exit 0', async () => {
    await createPod(stage, 'gone', stage.image('gone:1.0'));
    await until('the copy to fail', async () => (await recordOf(stage, stage.image('gone:1.0')))?.failure !== undefined);
    await until('the Event', async () => (await stage.kubectl('get', 'events', '-n', 'default')).includes('SourceMissing'));
    const reader = await userWith(stage, 'reader', [
      { apiGroups: ['kuik.enix.io'], resources: ['imageavailabilities'], verbs: ['get', 'list'] },
      { apiGroups: ['', 'events.k8s.io'], resources: ['pods', 'events'], verbs: ['get', 'list'] },
    ]);

    const { code, output, errors } = await kuikAs(reader, 'logs', stage.image('gone:1.0'));

    expect(errors).toMatch(/^kuik logs: not allowed to create pods\/portforward kuik-system\/temporal-0: grant verb create on pods\/portforward; what follows is from records and Events\n$/);
    expect(output).toMatch(/Z {2}the copy fails since then, missing: /);
    expect(output).toMatch(/Z {2}SourceMissing: the copy to .* stopped/);
    expect(code).toBe(0);
  });

  test.each<[string, string[], RegExp]>([
    ['nothing', ['logs'], /^kuik logs: name an image/],
    ['an image kuik does not know', ['logs', 'nginx:9'], /kuik has no record of it/],
    ['no runs', ['logs', 'nginx', '--runs', '0'], /Write a number from 1/],
  ])('of %s is refused with the next step: exit 1', async (_what, args, said) => {
    const { code, output, errors } = await kuik(...args);

    expect(output).toBe('');
    expect(errors).toMatch(said);
    expect(code).toBe(1);
  });
});

test('kuik status -w asks Temporal how far copies are, through the API server', async () => {
  const before = kubelet.forwarded.length;
  const screen = staying('status', '-w');

  await until('a line', async () => screen.output().includes('images mirrored'));

  expect(await screen.end()).toBe(130);
  expect(kubelet.forwarded.length).toBeGreaterThan(before);
});

describe('kuik describe, where another cluster claims a copy as well', () => {
  beforeAll(async () => {
    const { address, namespace } = stage.temporal.running;
    const keepers = createKeeperClient({ endpoint: { address, namespace }, searchable: () => true });
    await keepers.claim(aClaim({ cluster: 'paris', destination: stage.copyOf() as PlaceId, publishAs: stage.copyOf() as ImageName, image: stage.image() as ImageName, sources: [stage.image() as ImageName], shared: true }));
    await keepers.close();
    const self = await stage.kubectl('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}');
    await toolOutput('temporal', ['schedule', 'trigger', '--schedule-id', `sweep/${self}`, '--address', address, '--namespace', namespace]);
    await until('paris to be heard of', async () => (await kuik('cluster', 'list')).output.includes('paris'));
  });

  test('tells it copy by copy: its keeper is asked, through the API server', async () => {
    const before = kubelet.forwarded.length;

    const { output, errors } = await kuik('describe', stage.image());

    expect(errors).toBe('');
    expect(output).toMatch(new RegExp(`CLAIMED BY +WHAT +FOR +HEARD\\n[0-9a-f-]{36} \\(this cluster\\) +${stage.copyOf()} +ClusterImageSetMirror/everything +\\d+[sm] ago\\nparis +${stage.copyOf()} +\\S+ +\\d+[sm] ago\\n`));
    expect(kubelet.forwarded.length).toBeGreaterThan(before);
  });

  test('without the right to forward a port tells what the last sweep heard, and says so', async () => {
    const reader = await userWith(stage, 'nearly', [
      { apiGroups: ['kuik.enix.io'], resources: ['*'], verbs: ['get', 'list'] },
      { apiGroups: ['', 'events.k8s.io'], resources: ['pods', 'events', 'namespaces', 'configmaps'], verbs: ['get', 'list'] },
    ]);

    const { output, errors } = await kuikAs(reader, 'describe', stage.image());

    expect(errors).toMatch(/^kuik describe: not allowed to create pods\/portforward kuik-system\/temporal-0: grant .*; claims of other clusters are shown as the last daily sweep heard of them, not copy by copy\n$/);
    expect(output).toMatch(/this cluster +\S+web:1\.0 +ClusterImageSetMirror\/everything\nparis +destinations shared with this cluster +\d+[sm] ago\n/);
  });
});

describe('kuik ui', () => {
  test('leads to the history of a copy, which the real UI serves, until Ctrl-C: exit 0', async () => {
    const view = staying('ui', stage.image(), '--no-open');
    await until('the address', async () => view.output().endsWith('\n'));
    const address = view.output().trim();

    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/namespaces\/kuik\/workflows\/keep%2F/);
    const page = await request(address);
    expect(page).toMatchObject({ statusCode: 200, headers: { 'content-type': expect.stringContaining('text/html') } });
    await page.body.dump();
    // what that page asks the server for
    const id = address.split('/').at(-1);
    const found = await request(`${new URL(address).origin}/api/v1/namespaces/kuik/workflows/${id}`);
    expect(await found.body.json()).toMatchObject({ workflowExecutionInfo: { type: { name: 'keepImage' }, execution: { workflowId: `keep/${stage.copyOf()}` } } });
    expect(await view.end()).toBe(0);
  });

  test('of a rule leads to a query that finds its keepers', async () => {
    const view = staying('ui', 'cism/everything', '--no-open');
    await until('the address', async () => view.output().endsWith('\n'));
    const address = new URL(view.output().trim());

    const query = encodeURIComponent(address.searchParams.get('query')!);
    const found = await (await request(`${address.origin}/api/v1/namespaces/kuik/workflows?query=${query}`)).body.json();
    expect(JSON.stringify(found)).toContain(`keep/${stage.copyOf()}`);
    expect(await view.end()).toBe(0);
  });

  test.each<[string, string[], RegExp]>([
    ['a rule that makes no copies', ['ui', 'cris/thanos'], /rules of this kind make no copies/],
    ['a rule that is not there', ['ui', 'cism/nope'], /there is no such rule; kubectl get kuik -A/],
    ['two images', ['ui', 'a', 'b'], /name one image or one rule/],
    ['an installation without Temporal', ['ui', '-n', 'default'], /no Pod of Temporal's UI in namespace default; is kuik installed there/],
  ])('of %s is refused with the next step: exit 1', async (_what, args, said) => {
    const { code, output, errors } = await kuik(...args);

    expect(output).toBe('');
    expect(errors).toMatch(said);
    expect(code).toBe(1);
  });
});
