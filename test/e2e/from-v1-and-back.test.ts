import process from 'node:process';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder } from '../../tools/servers.js';
import { kuikOn, type Ended } from '../support/kuik.js';
import { createPod, push, recordOf, until, untilMirrored } from '../support/stage.js';
import { cacheInV1, defineV1, startV1Webhook, v1Registration, type V1Webhook } from '../support/v1.js';

/** As `helm install kuik` names things: v1 has taken the names of a release called kube-image-keeper. */
const fullName = 'kuik-kube-image-keeper';

let stage: Stage;
let v1: V1Webhook;
beforeAll(async () => {
  stage = await Stage.open({ dir: scratchFolder('from-v1-and-back'), fullName });
  await stage.kuik.stop();
  await stage.kubectl('delete', 'mutatingwebhookconfiguration', `${fullName}-mutating-webhook`);
  await push(stage, 'web:1.0');
  await defineV1(stage);
  v1 = await startV1Webhook(stage);
  await v1.register();
  await cacheInV1(stage, `${stage.sourceAddress}/library/web`, { sourceImage: stage.image() });
}, 180_000);
afterAll(async () => {
  await stage?.close();
  await v1?.close();
});

interface SeenPod {
  readonly metadata: { readonly uid: string; readonly annotations: Readonly<Record<string, string>> };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
}

async function podNamed(name: string): Promise<SeenPod> {
  return JSON.parse(await stage.kubectl('get', 'pod', name, '-o', 'json')) as SeenPod;
}

const imageOf = async (name: string): Promise<string | undefined> => (await podNamed(name)).spec.containers[0]?.image;
const behindProxy = (): string => `localhost:7439/${stage.sourceAddress.replace(':', '-')}/library/web:1.0`;
const ofV1 = (): Promise<string> => stage.kubectl('get', 'cachedimages,repositories', '-o', 'json');
const copy = (): string => `${stage.mirror.address}/kuik/library/web:1.0`;

/** As somebody whose kuik has other names than usual. */
function uninstall(env: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(join(projectRoot(), 'bin', 'kuik'), ['uninstall', '--yes', '--kubeconfig', stage.api.kubeconfig], { env: { ...process.env, ...env } }, (error, output, errors) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, output, errors }));
  });
}

let before = '';
let uid = '';
test('v1 sends a Pod to its proxy, and writes down its own text when the Pod is changed', async () => {
  await createPod(stage, 'of-v1', stage.image());
  expect(await imageOf('of-v1')).toBe(behindProxy());
  await stage.kubectl('label', 'pod', 'of-v1', 'changed=yes');

  const { metadata } = await podNamed('of-v1');
  expect(metadata.annotations['original-image-web']).toBe(behindProxy().replace('localhost:7439/', ''));
  ({ uid } = metadata);
  before = await ofV1();
});

test('beside v1, kuik copies what the Pod behind the proxy uses, by the name it had', async () => {
  await stage.kuik.start();
  const { output, code } = await kuikOn(stage, 'migrate', 'v1', '--registry', stage.mirror.address);
  expect(code).toBe(0);
  await stage.apply(output);

  await untilMirrored(stage, stage.image());
  expect(await imageOf('of-v1')).toBe(behindProxy());
}, 120_000);

test('a Pod that is made while both are there is taken for a user of the image, whoever had the last word', async () => {
  await createPod(stage, 'of-both', stage.image());

  const { name = '' } = (await recordOf(stage, stage.image())) ?? {};
  await until('both Pods to be counted', async () => (await stage.kubectl('get', 'ia', name, '-o', 'jsonpath={.status.pods}')) === '2');
  expect((await stage.kubectl('get', 'ia', '-o', 'jsonpath={.items[*].spec.image}')).split(' ')).not.toContain(copy());
});

test('after v1 a new Pod is sent to the copy, and the one behind the proxy is as it was', async () => {
  await stage.kubectl('delete', 'mutatingwebhookconfiguration', v1Registration);
  await createPod(stage, 'of-kuik', stage.image());

  expect(await imageOf('of-kuik')).toBe(copy());
  await createPod(stage, 'of-a-controller', behindProxy());
  expect(await imageOf('of-a-controller')).toBe(copy());
  expect((await podNamed('of-v1')).metadata.uid).toBe(uid);
});

test('back: with v1 there again, kuik is not taken away under its name, and nothing of v1 is touched', async () => {
  await v1.register();

  expect(await uninstall({})).toMatchObject({ code: 1, output: '', errors: expect.stringContaining(`${v1Registration} is not of this kuik`) });
  await stage.kuik.stop(); // it is an administrator here, and would hold its rules again: in a cluster it loses its rights first
  expect(await uninstall({ KUIK_FULL_NAME: fullName })).toMatchObject({ code: 0, errors: '' });

  expect(await stage.kubectl('get', 'mutatingwebhookconfiguration', '-o', 'name')).toBe(`mutatingwebhookconfiguration.admissionregistration.k8s.io/${v1Registration}`);
  expect(await ofV1()).toBe(before);
}, 120_000);

test('back: Pods are made as before kuik came, those it sent elsewhere stay, and its rules go when they are deleted', async () => {
  await createPod(stage, 'back', stage.image());
  expect(await imageOf('back')).toBe(behindProxy());
  expect(await imageOf('of-kuik')).toBe(copy());

  await stage.kubectl('delete', 'cism', '--all', '--timeout=30s');
  await stage.kubectl('delete', 'crd', 'imageavailabilities.kuik.enix.io', '--timeout=30s');
  for (const pod of ['of-v1', 'of-both', 'of-kuik', 'of-a-controller', 'back']) await stage.kubectl('delete', 'pod', pod, '--grace-period=0', '--force', '--timeout=30s');
});
