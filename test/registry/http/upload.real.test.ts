/** Cuts between the real client and real registries: what a line loses is sent again, and no more. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { knownImageRef, type ImageRef } from '../../../src/domain/image-ref.js';
import { createHttpRegistry, type HttpRegistry } from '../../../src/registry/http/client.js';
import type { RegistryEvent } from '../../../src/registry/http/observer.js';
import type { BlobSource } from '../../../src/registry/registry.js';
import { startRegistry, type RegistryServer } from '../../../tools/servers.js';
import { aCall, aLargeBlob, piecesOf, type Blob } from '../../support/images.js';
import { startRelay, type Relay, type Way } from '../../support/relay.js';

const call = aCall({ side: 'destination' });
const tenths = Array.from({ length: 9 }, (_, index) => index + 1);

describe('distribution behind a line that is cut', () => {
  let source: RegistryServer;
  let server: RegistryServer;
  /** the line to the destination, and the one from the source */
  let line: Relay;
  let supply: Relay;
  let registry: HttpRegistry;
  const events: RegistryEvent[] = [];
  beforeAll(async () => {
    [source, server] = await Promise.all([startRegistry({ name: 'source' }), startRegistry({ name: 'mirror' })]);
    [supply, line] = await Promise.all([startRelay(source.address), startRelay(server.address)]);
    registry = createHttpRegistry({ settings: () => ({}), clock: Date.now, userAgent: 'kube-image-keeper/test', observer: (event) => events.push(event) });
  });
  afterAll(async () => {
    await registry?.close();
    await Promise.all([supply?.close(), line?.close(), source?.stop(), server?.stop()]);
  });

  const at = (address: string, path: string): ImageRef => knownImageRef(`${address}/${path}`);
  const how = (): readonly string[] => events.splice(0).flatMap((event) => (event.type === 'blob' ? [event.how] : []));
  async function arrived(path: string, { descriptor }: Blob): Promise<boolean> {
    for await (const chunk of registry.blob(at(server.address, path), descriptor, [], aCall())) void chunk;
    return true; // verified while it was read
  }
  function through(blob: Blob): BlobSource {
    return { open: (offset, signal) => registry.blob(at(supply.address, 'layers'), blob.descriptor, [], { ...aCall(), signal, isHashedByCaller: true }, offset) };
  }

  test.each(tenths)('an upload cut at %d tenths of 64 MiB goes on where it was', async (tenth) => {
    const layer = aLargeBlob(`up ${tenth}`, 64);
    const before = line.sent();
    line.cutAfter((layer.bytes.length * tenth) / 10, 'to');

    expect(await registry.putBlob(at(line.address, `up-${tenth}`), layer.descriptor, piecesOf(layer.bytes), [], call)).toBe('uploaded');

    // a busy registry may be asked twice, until it has noticed
    expect([...new Set(how())]).toEqual(['resumed', 'uploaded']);
    expect(line.sent() - before).toBeLessThan(layer.bytes.length * 1.1);
    expect(await arrived(`up-${tenth}`, layer)).toBe(true);
  });

  test.each(tenths)('a download cut at %d tenths of 64 MiB goes on where it was, and the upload never notices', async (tenth) => {
    const layer = aLargeBlob(`down ${tenth}`, 64);
    await registry.putBlob(at(source.address, 'layers'), layer.descriptor, piecesOf(layer.bytes), [], call);
    how();
    const before = supply.received();
    supply.cutAfter((layer.bytes.length * tenth) / 10, 'from');

    expect(await registry.putBlob(at(server.address, `down-${tenth}`), layer.descriptor, through(layer), [], call)).toBe('uploaded');

    expect(how()).toEqual(['resumed', 'uploaded']);
    expect(supply.received() - before).toBeLessThan(layer.bytes.length * 1.05);
    expect(await arrived(`down-${tenth}`, layer)).toBe(true);
  });

  // hours of bytes: only where somebody asks for all of it
  const onDemand = process.env['FAULT_SIZE'] === 'soak' ? test : test.skip;
  onDemand.each<[string, Way]>([
    ['on the way to the destination', 'to'],
    ['on the way from the source', 'from'],
  ])('cut at every percent of 256 MiB, %s: nothing is lost', async (_sentence, way) => {
    const layer = aLargeBlob(`percent ${way}`, 256);
    await registry.putBlob(at(source.address, 'layers'), layer.descriptor, piecesOf(layer.bytes), [], call);
    for (let percent = 1; percent < 100; percent++) {
      // one that knows nothing of the other repositories, and mounts nothing
      const fresh = createHttpRegistry({ settings: () => ({ capabilities: { mount: false } }), clock: Date.now, userAgent: 'kube-image-keeper/test' });
      const open: BlobSource['open'] = (offset, signal) => fresh.blob(at(supply.address, 'layers'), layer.descriptor, [], { ...aCall(), signal, isHashedByCaller: true }, offset);
      (way === 'to' ? line : supply).cutAfter((layer.bytes.length * percent) / 100, way);

      expect(await fresh.putBlob(at(line.address, `percent-${way}-${percent}`), layer.descriptor, { open }, [], call)).toBe('uploaded');
      expect(await arrived(`percent-${way}-${percent}`, layer)).toBe(true);
      await fresh.close();
    }
  }, 3_600_000);

  test.each<[string, Way]>([
    ['on the way to the destination', 'to'],
    ['on the way from the source', 'from'],
  ])('half of 256 MiB, cut %s: hardly more is read, and at most 10 %% more is sent', async (_sentence, way) => {
    const layer = aLargeBlob(`half ${way}`, 256);
    await registry.putBlob(at(source.address, 'layers'), layer.descriptor, piecesOf(layer.bytes), [], call);
    const [sent, received] = [line.sent(), supply.received()];
    (way === 'to' ? line : supply).cutAfter(layer.bytes.length / 2, way);

    await registry.putBlob(at(line.address, `half-${way}`), layer.descriptor, through(layer), [], call);

    const moved = { sent: (line.sent() - sent) / layer.bytes.length, received: (supply.received() - received) / layer.bytes.length };
    process.stderr.write(`G13 ${way}: source ${moved.received.toFixed(3)}, destination ${moved.sent.toFixed(3)}\n`);
    // what lies in the sockets of two relays is lost as well, and the kernel lets them hold tens of MB while a reader
    // is slow: without them it is less than 5 %. One that began again would read half as much more.
    expect(moved.received).toBeLessThan(1.25);
    expect(moved.sent).toBeLessThan(1.1);
    expect(await arrived(`half-${way}`, layer)).toBe(true);
  });
});
