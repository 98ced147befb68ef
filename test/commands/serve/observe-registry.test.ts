import { describe, expect, test } from '@jest/globals';
import { observeRegistry } from '../../../src/commands/serve/observe-registry.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import type { Call } from '../../../src/registry/registry.js';
import type { Fault } from '../../support/fault-registry.js';
import { aBlob, aCall, anImage, pushImage, single, sourceOf } from '../../support/images.js';
import { aClient, aRegistryServer, closeAfterEach, refAt } from '../../support/registry-client.js';

closeAfterEach();
const ann = { id: 'aaaaaaaaaaaa', username: 'ann', password: 'correct horse' };
const access = { type: 'bearer', accounts: { ann: ann.password } } as const;
const image = anImage('app');
const layer = aBlob('layer', 400_000);
const push = aCall({ side: 'destination' });

type Scene = Awaited<ReturnType<typeof aScene>>;

/** A registry, a client whose events are counted, and what was logged. */
async function aScene() {
  const server = await aRegistryServer({ access });
  const metrics = createMetrics({ version: '0', revision: '', built: '' });
  const said: string[] = [];
  const observer = observeRegistry(metrics, { info: (_fields: object, text: string) => void said.push(text), warn: (_fields: object, text: string) => void said.push(text) } as Parameters<typeof observeRegistry>[1]);
  const { registry } = aClient({ observer });
  metrics.registry.watchPace(() => registry.pace());
  return { server, metrics, said, registry };
}

const look = ({ registry, server }: Scene, more: Partial<Call> = {}): Promise<unknown> => registry.head(refAt(server, 'app:1'), [ann], aCall(more));
const publish = ({ registry, server }: Scene): Promise<unknown> => pushImage(registry, `${server.host}/app:1`, single(image), [ann]);
const readPinned = ({ registry, server }: Scene, more: Partial<Call> = {}): Promise<unknown> => registry.manifest(refAt(server, `app@${image.manifest.digest}`), [ann], aCall(more));
const upload = ({ registry, server }: Scene, path = 'app'): Promise<unknown> => registry.putBlob(refAt(server, path), layer.descriptor, sourceOf(layer.bytes), [ann], push);

async function download({ registry, server }: Scene): Promise<void> {
  for await (const chunk of registry.blob(refAt(server, 'app'), layer.descriptor, [ann], aCall())) void chunk;
}

async function thrice(work: () => Promise<unknown>): Promise<void> {
  for (let time = 0; time < 3; time++) await work();
}

/** From here on a request meets this. */
function meets({ server }: Scene, on: Fault['on'], does: Fault['does'], from = 1): void {
  server.fault({ on, from, times: 99, does });
}

describe('what happens at registries is counted', () => {
  test.each<[string, (scene: Scene) => unknown, string]>([
    ['a request', (scene) => look(scene, { purpose: 'check' }), 'registry_requests_total{registry="HOST",purpose="check",result="missing"} 1'],
    ['a request that was refused, by its failure', (scene) => (meets(scene, { route: 'manifest' }, { status: 405 }), look(scene)), 'registry_requests_total{registry="HOST",purpose="copy",result="unsupported"} 2'],
    ['how long the first byte took', (scene) => look(scene, { purpose: 'probe' }), 'registry_request_duration_seconds_count{registry="HOST",purpose="probe"} 2'],
    ['a token', (scene) => look(scene), 'registry_token_requests_total{registry="HOST",result="granted"} 1'],
    ['a token that was refused', (scene) => (meets(scene, { route: 'token' }, { status: 401 }), look(scene)), 'registry_token_requests_total{registry="HOST",result="refused"} 1'],
    ['a token that was refused because there were too many', (scene) => (meets(scene, { route: 'token' }, { status: 429 }), look(scene, { purpose: 'probe' })), 'registry_token_requests_total{registry="HOST",result="throttled"} 1'],
    ['a token service that does not answer', (scene) => (meets(scene, { route: 'token' }, { reset: true }), look(scene, { purpose: 'probe' })), 'registry_token_requests_total{registry="HOST",result="failed"} 1'],
    ['a token at hand', (scene) => thrice(() => look(scene)), 'registry_cache_total{cache="token",result="hit"} 2'],
    ['a manifest at hand', (scene) => publish(scene).then(() => thrice(() => readPinned(scene))), 'registry_cache_total{cache="manifest",result="hit"} 2'],
    ['a blob known to be there', (scene) => thrice(() => upload(scene)), 'registry_cache_total{cache="blob",result="hit"} 2'],
    ['a blob that was found there', (scene) => thrice(() => upload(scene)), 'registry_blobs_total{registry="HOST",how="present"} 2'],
    ['a blob that was uploaded', (scene) => upload(scene), 'registry_blobs_total{registry="HOST",how="uploaded"} 1'],
    ['a blob that was mounted', (scene) => upload(scene, 'one').then(() => upload(scene, 'two')), 'registry_blobs_total{registry="HOST",how="mounted"} 1'],
    ['a blob that went on where it broke', (scene) => upload(scene).then(() => (scene.server.fault({ on: { route: 'blob' }, does: { cutAnswerAfter: 1000 } }), download(scene))), 'registry_blobs_total{registry="HOST",how="resumed"} 1'],
    ['bytes that a copy has written', upload, 'mirroring_bytes_total{registry="HOST",direction="written"} 400000'],
    ['bytes that a copy has read', (scene) => upload(scene).then(() => download(scene)), 'mirroring_bytes_total{registry="HOST",direction="read"} 400000'],
    ['a repetition', (scene) => (meets(scene, { route: 'manifest' }, { status: 502 }, 2), look(scene)), 'registry_retries_total{registry="HOST",code="unreachable"} 2'],
    ['content that is damaged', (scene) => publish(scene).then(() => (meets(scene, { method: 'GET' }, { spoil: true }), readPinned(scene, { purpose: 'probe' }))), 'registry_corrupt_total{registry="HOST",side="source"} 1'],
    ['a refusal of the guard, by its rule', (scene) => (meets(scene, { route: 'manifest' }, { status: 307, headers: { location: 'http://169.254.169.254/' } }), look(scene)), 'registry_guard_refusals_total{registry="HOST",rule="address"} 1'],
    ['a loop of redirects, by its rule', (scene) => (meets(scene, { route: 'manifest' }, { status: 307, headers: { location: '/v2/app/manifests/1' } }), look(scene)), 'registry_guard_refusals_total{registry="HOST",rule="redirects"} 1'],
    ['an open circuit', (scene) => (meets(scene, {}, { reset: true }), thrice(() => look(scene).catch(() => undefined))), 'registry_circuit_open{registry="HOST"} 1'],
    ['nobody in the queue', (scene) => look(scene), 'registry_queue_length{registry="HOST",priority="copy"} 0'],
  ])('%s', async (_sentence, happens, line) => {
    const scene = await aScene();

    await Promise.resolve(happens(scene)).catch(() => undefined);

    const lines = (await scene.metrics.text()).split('\n').filter((text) => text.startsWith('kube_image_keeper_registry') || text.startsWith('kube_image_keeper_mirroring'));
    expect(lines).toContain(`kube_image_keeper_${line.replace('HOST', scene.server.host)}`);
  });

  test('a circuit that opens is said once', async () => {
    const scene = await aScene();
    meets(scene, {}, { reset: true });
    for (let time = 0; time < 8; time++) await look(scene, { purpose: 'probe' }).catch(() => undefined);

    expect(scene.said).toEqual(['registry does not answer and is left alone']);
  });
});
