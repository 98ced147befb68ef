import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { fault } from '../support/fault.js';
import { applyQuickstart, createPod, push, tagIsThere, until } from '../support/stage.js';

const broken: readonly (readonly [string, object, string])[] = [
  ['bad-pattern', { filter: { include: [{ image: '(' }] }, mirrors: [{ registry: 'bad.example.com' }] }, 'Ready=False InvalidFilter'],
  ['bad-selector', { filter: { include: [{ label: 'a=b c' }] }, mirrors: [{ registry: 'bad.example.com' }] }, 'Ready=False InvalidFilter'],
  ['bad-duration', { filter: { include: [{ image: '.+' }] }, cleanup: { enabled: true, retention: '7d' }, mirrors: [{ registry: 'bad.example.com' }] }, 'Ready=False InvalidSpec'],
  ['missing-secret', { filter: { include: [{ image: '.+' }] }, mirrors: [{ registry: 'bad.example.com', credentialSecret: { name: 'nowhere', namespace: 'kuik-system' } }] }, 'Ready=False CredentialMissing'],
];

describe('rules that make no sense', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('f15') });
  });
  afterAll(() => stage?.close());

  fault('F15', 'each says so in its own condition; the others work and Pods are admitted', async () => {
    for (const [name, spec] of broken) await stage.apply(JSON.stringify({ apiVersion: 'kuik.enix.io/v1alpha1', kind: 'ClusterImageSetMirror', metadata: { name }, spec }));
    await applyQuickstart(stage);
    await push(stage, 'web:1.0');

    expect(await createPod(stage, 'first', stage.image('web:1.0'))).toMatchObject({ image: stage.image('web:1.0') });
    // two of the rules want a copy at bad.example.com, which is not there: the good one is made all the same
    await until('the good rule to have its copy', () => tagIsThere(stage.copyOf('web:1.0')));

    for (const [name, , expected] of broken) {
      await until(`${name} to say ${expected}`, async () => (await readyOf(name)) === expected);
    }
    await until('the good rule to be ready', async () => (await readyOf('everything')).startsWith('Ready=True'));
    const message = await stage.kubectl('get', 'cism', 'bad-pattern', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].message}');
    expect(message).toContain('spec.filter.include[0].image');
  });

  async function readyOf(name: string): Promise<string> {
    return stage.kubectl('get', 'cism', name, '-o', 'jsonpath={range .status.conditions[?(@.type=="Ready")]}{.type}={.status} {.reason}{end}');
  }
});
