/** What the command line says to somebody whom nothing goes well for. */
import { execFileSync, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { recordName } from '../../src/cluster/record-name.js';
import { imageName, knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import { finalizers } from '../../src/domain/names.js';
import { projectRoot } from '../../tools/programs.js';
import { scratchFolder, startApiServer, toolOutput, type ApiServer } from '../../tools/servers.js';
import { installKinds } from '../cluster/kubernetes-bench.js';
import { kuikAs, type Ended } from '../support/kuik.js';
import { until } from '../support/until.js';
import { userWith } from '../support/users.js';

const dir = scratchFolder('hostile');
let api: ApiServer;
/** takes every connection, and never says a word */
let silent: Server;
beforeAll(async () => {
  api = await startApiServer();
  silent = createServer(() => undefined).listen(0, '127.0.0.1');
});
afterAll(async () => {
  silent?.close();
  await api?.kill();
});

const kuik = (...args: string[]): Promise<Ended> => kuikAs(api.kubeconfig, ...args);

/** A line of a shell, with `kuik` in it. */
function inShell(line: string): Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }> {
  const child = spawn('bash', ['-o', 'pipefail', '-c', `kuik() { '${join(projectRoot(), 'bin', 'kuik')}' "$@"; }; ${line}`], { env: { ...process.env, NODE_OPTIONS: '', KUBECONFIG: api.kubeconfig } });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output, errors })));
}

describe('in a cluster without our kinds', () => {
  test.each([
    ['describe', ['describe', 'nginx']],
    ['retry', ['retry', 'nginx:1.27']],
    ['pause', ['pause', 'nginx']],
    ['images', ['images']],
    ['explain', ['explain', '--image', 'nginx']],
  ])('kuik %s asks whether kuik is installed: exit 1', async (name, args) => {
    const { code, output, errors } = await kuik(...args);

    expect(errors).toMatch(new RegExp(`^kuik ${name}: API server answered 404 .*is kuik installed in this cluster\\? kubectl get crd`));
    expect([code, output]).toEqual([1, '']);
  });

  test('kuik bundle gathers what there is, and names what there is not: exit 0', async () => {
    const file = join(dir, 'without-kinds.tgz');

    const { code, errors } = await kuik('bundle', '--yes', '--output-file', file);

    expect(errors).toMatch(/^missing\.txt /m);
    expect(code).toBe(0);
    const missing = execFileSync('tar', ['-xzOf', file, 'without-kinds/missing.txt'], { encoding: 'utf8' });
    expect(missing).toMatch(/^status\.yaml: API server answered 404/);
    expect(missing).toMatch(/^resources\/clusterimagesetmirrors\.yaml: this cluster knows no clusterimagesetmirrors$/m);
  });

  test.each([
    ['says that it would hold nothing', ['uninstall', '--dry-run=client'], /^would remove mutatingwebhookconfiguration\/\S+, clusterrolebinding\/\S+, and finalizers from 0 rules\n$/],
    ['takes away what else there is', ['uninstall', '--yes'], /^mutatingwebhookconfiguration\/\S+ absent\nclusterrolebinding\/\S+ absent\n$/],
  ])('kuik uninstall %s: exit 0', async (_what, args, said) => {
    const { code, output, errors } = await kuik(...args);

    expect(errors).toBe('');
    expect(output).toMatch(said);
    expect(code).toBe(0);
  });

  test('kuik check still tells part by part, and what to do: exit 2', async () => {
    const { code, output, errors } = await kuik('check', '--timeout', '1s');

    expect(errors).toBe('');
    expect(output).toMatch(/^definitions +bad +missing: /m);
    expect(output).toMatch(/^registries +hidden +there are no definitions of rules/m);
    expect(output).toMatch(/^credentials +hidden /m);
    expect(code).toBe(2);
  });
});

describe('whoever reads what is printed', () => {
  test.each([
    ['help', 'kuik explain --help | true'],
    ['a document', 'kuik version -o json | true'],
    ['complaints', 'kuik describe 2>&1 | true'],
  ])('may go away: %s ends without a word', async (_what, line) => {
    const { code, errors } = await inShell(line);

    expect(errors).toBe('');
    expect([0, 1, 141]).toContain(code); // it may be through before the reader is gone
  });
});

describe('a Pod whose user wrote more than a name', () => {
  beforeAll(async () => {
    await installKinds(api.kubeconfig);
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'evil', namespace: 'default' }, spec: { containers: [{ name: 'web', image: 'nginx\u001b[2J\u001b]0;owned\u0007:1' }] } };
    await toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, 'apply', '-f', '-'], { input: JSON.stringify(pod) });
  });

  test.each(['table', 'wide'])('is explained without what would move the cursor: -o %s', async (form) => {
    const { output, code } = await kuik('explain', 'pod/evil', '-o', form);

    expect(output).toContain('nginx\ufffd[2J\ufffd]0;owned\ufffd:1');
    // eslint-disable-next-line no-control-regex -- that is what is looked for
    expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(code).toBe(2);
  });
});

describe('an image that kuik does not know by this name', () => {
  test('is told which of the same name it knows', async () => {
    const image = 'registry.example.com/team/web:1.2';
    await toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, 'apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ImageAvailability', metadata: { name: 'web' }, spec: { image } }) });

    expect((await kuik('describe', 'web')).errors).toMatch(/^kuik describe: web \(docker\.io\/library\/web:latest\): kuik has no record of it.*; it knows registry\.example\.com\/team\/web:1\.2\n$/);
    expect((await kuik('describe', 'other')).errors).toMatch(/kubectl get ia lists the images kuik knows\n$/);
  });
});

describe('somebody who may ask, and not watch', () => {
  test('is told at once that the outcome cannot be followed: exit 1', async () => {
    const stage = { api, dir, apply: (manifest: string) => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, 'apply', '-f', '-'], { input: manifest }), kubectl: (...args: string[]) => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, ...args]) };
    const asker = await userWith(stage, 'asker', [{ apiGroups: ['kuik.enix.io'], resources: ['imageavailabilities'], verbs: ['get', 'list', 'patch'] }]);
    const image = imageName(knownImageRef('registry.example.com/team/api:1'));
    const name = recordName(image);
    const status = { pods: 1, places: [{ reference: image, role: 'origin' }, { reference: 'mirror.example.com/team/api:1', role: 'mirror' }] };
    await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ImageAvailability', metadata: { name }, spec: { image } }));
    await stage.kubectl('patch', 'ia', name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }));

    const { code, errors } = await kuikAs(asker, 'retry', `ia/${name}`, '--timeout', '40s');

    expect(errors).toMatch(/^kuik retry: not allowed to watch imageavailabilities: grant verb watch on imageavailabilities in API group kuik\.enix\.io\n$/);
    expect(code).toBe(1);
  }, 30_000);

  test.each<[string, string, string]>([
    ['Pods, of what it shows', 'pods', 'imageavailabilities'],
    ['records, of what it shows', 'imageavailabilities', 'pods'],
  ])('%s, is told so by kuik images -w, which ends: exit 1', async (_what, unwatched, watched) => {
    const stage = { api, dir, apply: (manifest: string) => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, 'apply', '-f', '-'], { input: manifest }), kubectl: (...args: string[]) => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, ...args]) };
    const rights = [{ apiGroups: ['', 'kuik.enix.io'], resources: [unwatched], verbs: ['get', 'list'] }, { apiGroups: ['', 'kuik.enix.io'], resources: [watched], verbs: ['get', 'list', 'watch'] }];

    const { code, errors } = await kuikAs(await userWith(stage, `lister-of-${unwatched}`, rights), 'images', '-w');

    expect(errors).toMatch(new RegExp(`^kuik images: not allowed to watch ${unwatched}: grant verb watch on ${unwatched}.*\n$`));
    expect(code).toBe(1);
  }, 30_000);
});

describe('somebody who may ask for one image, and not for another', () => {
  test('has the one asked for, and is told of the other in its row: exit 1', async () => {
    const stage = { api, dir, apply: (manifest: string) => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, 'apply', '-f', '-'], { input: manifest }), kubectl: (...args: string[]) => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, ...args]) };
    const [mine, other] = ['registry.example.com/shop/mine:1', 'registry.example.com/shop/other:1'].map((text) => imageName(knownImageRef(text))) as [ImageName, ImageName];
    for (const image of [mine, other]) {
      const failure = { code: 'missing', side: 'source', message: 'manifest missing on source registry.example.com', since: '2026-11-20T10:00:00Z', attempts: 1 };
      const status = { pods: 1, places: [{ reference: image, role: 'origin' }, { reference: image.replace('registry.', 'mirror.'), role: 'mirror', failure }] };
      await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ImageAvailability', metadata: { name: recordName(image) }, spec: { image } }));
      await stage.kubectl('patch', 'ia', recordName(image), '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }));
    }
    const records = { apiGroups: ['kuik.enix.io'], resources: ['imageavailabilities'] };
    const half = await userWith(stage, 'half', [{ ...records, verbs: ['get', 'list', 'watch'] }, { ...records, resourceNames: [recordName(mine)], verbs: ['patch'] }]);

    const { code, output } = await kuikAs(half, 'retry', '--failed', '--registry', 'mirror.example.com', '--no-wait');

    expect(output).toMatch(/shop\/mine:1 +asked *\n/);
    expect(output).toMatch(/shop\/other:1 +refused +not allowed to patch imageavailabilities .*; ask again with kuik retry registry\.example\.com\/shop\/other:1\n/);
    expect(code).toBe(1);
    expect(await stage.kubectl('get', 'ia', recordName(mine), '-o', 'jsonpath={.metadata.annotations}')).toContain('kuik.enix.io/requested-at');
  }, 30_000);
});

describe('an API server that takes connections and says nothing', () => {
  test('is left by Ctrl-C within moments: exit 130', async () => {
    const config = (await readFile(api.kubeconfig, 'utf8')).replace(api.url, `https://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    const file = join(dir, 'silent');
    await writeFile(file, config);
    const child = spawn(join(projectRoot(), 'bin', 'kuik'), ['explain', '--image', 'nginx', '--kubeconfig', file], { stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    await until(() => new Promise<boolean>((resolve) => silent.getConnections((_error, count) => resolve(count > 0))));

    const started = performance.now();
    child.kill('SIGINT');

    expect(await ended).toBe(130);
    expect(performance.now() - started).toBeLessThan(10_000);
  }, 30_000);
});

describe('a slip of the pen', () => {
  test.each<[string, string, string[], RegExp]>([
    ['a kubeconfig that is a folder', dir, ['images'], /^kuik images: kubeconfig \S+hostile\S*: EISDIR/],
    ['a kubeconfig that is something else', '/etc/passwd', ['images'], /^kuik images: no cluster found: context "" is not defined in \/etc\/passwd/],
    ['a registry with a scheme', '', ['rehearse', 'http://docker.io'], /^kuik rehearse: "http:\/\/docker\.io" is no registry; write its host\[:port\] as images do, such as docker\.io\n/],
    ['no registry', '', ['rehearse'], /^kuik rehearse: name a registry, as in kuik rehearse docker\.io/],
    ['a kubeconfig that is not there', '/nowhere', ['images'], /^kuik images: kubeconfig \/nowhere: ENOENT.*; name another with --kubeconfig or KUBECONFIG\n/],
    ['a context that is not there', '', ['images', '--context', 'nope'], /^kuik images: no cluster found: context "nope" is not defined in \S+; kubectl config get-contexts lists them\n/],
    ['an option nobody knows', '', ['status', '--nope'], /^kuik status: unknown option '--nope'; kuik status --help lists them\n$/],
    ['an option nearly known', '', ['images', '--unuse'], /^kuik images: unknown option '--unuse' \(Did you mean --unused\?\); kuik images --help lists them\n$/],
    ['a word too many', '', ['status', 'x'], /^kuik status: too many arguments\. Expected 0 arguments but got 1: x; kuik status --help shows what it takes\n$/],
    ['no name of a namespace', '', ['images', '-n', 'A B'], /^kuik images: -n "A B": no namespace has such a name; kubectl get namespaces lists them\n$/],
    ['an empty namespace', '', ['status', '-n', ''], /^kuik status: -n "": no namespace has such a name/],
    ['an empty image', '', ['describe', ''], /^kuik describe: "": not an image reference; /],
    ['a registry by its first name', '', ['retry', '--failed', '--registry', 'quay'], /^kuik retry: --registry "quay": no registry; write its host\[:port\] as images do, such as docker\.io\n$/],
    ['an object without kind and name', '', ['explain', ''], /^kuik explain: "": write KIND\/NAME, such as pod\/web; /],
    ['an empty registry', '', ['rehearse', ''], /^kuik rehearse: "" is no registry; write its host/],
    ['a rule with a name that none can have', '', ['pause', 'cism/My Rule'], /^kuik pause: cism\/My Rule: no rule has such a name; kubectl get kuik -A lists them\n$/],
    ['a rule without its name', '', ['resume', 'cism/'], /^kuik resume: cism\/: no rule has such a name; /],
    ['help for a command nobody knows', '', ['help', 'nonsense'], /^kuik: unknown command "nonsense"; kuik --help lists them\n$/],
    ['a folder that is not there', '', ['bundle', '-y', '--no-logs', '--output-file', '/nonexistent/x.tar.gz'], /kuik bundle: --output-file \/nonexistent\/x\.tar\.gz: ENOENT/],
  ])('%s is named, with the next step: exit 1', async (_what, kubeconfig, args, said) => {
    const { code, errors } = await kuikAs(kubeconfig || api.kubeconfig, ...args);

    expect(errors).toMatch(said);
    expect(code).toBe(1);
  });

  test('an option without its value is named, with the next step: exit 1', async () => {
    expect(await inShell('kuik pin nginx --until')).toEqual({ code: 1, output: '', errors: "kuik pin: option '--until <time>' argument missing; kuik pin --help shows what it takes\n" });
  });

  test.each<[string, RegExp]>([
    ['status', /Usage: kuik status/],
    ['cluster forget', /Usage: kuik cluster forget/],
    ['', /Usage: kuik COMMAND/],
  ])('kuik help %s prints that help: exit 0', async (words, said) => {
    const { code, output, errors } = await inShell(`kuik help ${words}`);

    expect([code, errors]).toEqual([0, '']);
    expect(output).toMatch(said);
  });
});

describe('a cluster that has lost one of the definitions', () => {
  test('lets its other rules go: exit 0', async () => {
    const kubectl = (...args: string[]): Promise<string> => toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, ...args]);
    const rule = { apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name: 'held', finalizers: [finalizers.mirrorCleanup] }, spec: {} };
    await toolOutput('kubectl', ['--kubeconfig', api.kubeconfig, 'apply', '-f', '-'], { input: JSON.stringify(rule) });
    await kubectl('delete', 'crd', 'clusterimagesetavailabilities.kuik.enix.io');

    const { code, output } = await kuik('uninstall', '--yes');

    expect(output).toMatch(/^ClusterImageSetMirror held released$/m);
    expect(code).toBe(0);
    expect(await kubectl('get', 'cism', 'held', '-o', 'jsonpath={.metadata.finalizers}')).toBe('');
  }, 60_000);
});
