/** What every registry does when one tag is to go: run on the twin, on scripted registries and on real ones. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { knownImageRef, type ImageRef } from '../../src/domain/image-ref.js';
import type { Digest } from '../../src/domain/digest.js';
import type { Identity, Registry, Deletion, DeletionBlock, DeletionGuard } from '../../src/registry/registry.js';
import { aCall, aMultiPlatformImage, anImage, anIndex, pushImage, single, type AGraph } from '../support/images.js';

export interface DeletionUnderTest {
  /** `host[:port]` of an empty registry */
  readonly host: string;
  readonly as: Identity;
  /** a client that has learned nothing yet; on the twin the same one again */
  connect(deleteShared: 'block' | 'isolate'): Registry;
  close(): Promise<void>;
}

/** In what honest registries differ. */
export interface DeletionAbilities {
  /** what deletes a tag whose digest nobody shares */
  readonly alone: 'tag' | 'digest' | DeletionBlock;
  /** what becomes of a tag whose digest others have */
  readonly shared: 'tag' | DeletionBlock;
  /** the same where the user chose `deleteShared: isolate` */
  readonly isolated: 'tag' | 'isolated' | DeletionBlock;
}

export function deletionConformance(name: string, abilities: DeletionAbilities, start: () => Promise<DeletionUnderTest>): void {
  describe(name, () => {
    let under: DeletionUnderTest;
    let plain: Registry;
    beforeAll(async () => {
      under = await start();
      plain = under.connect('block');
    });
    afterAll(() => under.close());

    const toThere = aCall({ side: 'destination', purpose: 'delete' });
    const ref = (path: string): ImageRef => knownImageRef(`${under.host}/${path}`);
    const push = (path: string, graph: AGraph): Promise<Digest> => pushImage(plain, `${under.host}/${path}`, graph, under.as);
    const guard = (digest: Digest, more: Partial<DeletionGuard> = {}): DeletionGuard => ({ prefix: under.host, digest, inventory: 'unshared', ...more });
    const remove = (path: string, of: DeletionGuard, deleteShared: 'block' | 'isolate' = 'block'): Promise<Deletion> => under.connect(deleteShared).deleteTag(ref(path), of, under.as, toThere);
    const digestAt = async (path: string): Promise<Digest | 'missing'> => {
      const seen = await plain.head(ref(path), under.as, aCall());
      return seen === 'missing' ? 'missing' : seen.digest;
    };
    const expectPullable = (path: string, graph: AGraph): Promise<void> => pullWhole(plain, ref(path), graph, under.as);

    test('a tag that nobody shares goes, and the registry says that it is missing', async () => {
      const digest = await push('delete/alone:1', single(anImage('alone')));

      const deletion = await remove('delete/alone:1', guard(digest));

      expect(deletion).toMatchObject(outcomeOf(abilities.alone));
      expect(await digestAt('delete/alone:1')).toBe(deletion.outcome === 'deleted' ? 'missing' : digest);
    });

    test('deleted once more, it is absent, and nothing is wrong', async () => {
      const digest = await push('delete/twice:1', single(anImage('twice')));
      const first = await remove('delete/twice:1', guard(digest));

      const second = await remove('delete/twice:1', guard(digest));

      expect(second.outcome).toBe(first.outcome === 'deleted' ? 'absent' : 'blocked');
    });

    test('a tag and a repository that were never there are absent', async () => {
      const { digest } = anImage('never').manifest;
      await push('delete/here:1', single(anImage('here')));

      expect(await remove('delete/here:2', guard(digest))).toEqual({ outcome: 'absent' });
      expect(await remove('delete/nowhere:1', guard(digest))).toEqual({ outcome: 'absent' });
    });

    test.each([
      ['an image', () => single(anImage('shared'))],
      ['an index', () => aMultiPlatformImage('shared', 'linux/amd64', 'linux/arm64')],
    ])('of two tags on %s the other one stays pullable', async (kind, make) => {
      const graph = make();
      const path = `delete/shared-${kind.replace(' ', '-')}`;
      await push(`${path}:sibling`, graph);
      const digest = await push(`${path}:asked`, graph);

      const deletion = await remove(`${path}:asked`, guard(digest));

      expect(deletion).toMatchObject(outcomeOf(abilities.shared));
      await expectPullable(`${path}:sibling`, graph);
      expect(await digestAt(`${path}:asked`)).toBe(deletion.outcome === 'deleted' ? 'missing' : digest);
    });

    test.each([
      ['an image', () => single(anImage('isolated'))],
      ['an index', () => aMultiPlatformImage('isolated', 'linux/amd64', 'linux/arm64')],
    ])('with deleteShared: isolate, one of two tags on %s goes, and the other one stays pullable', async (kind, make) => {
      const graph = make();
      const path = `delete/isolated-${kind.replace(' ', '-')}`;
      await push(`${path}:sibling`, graph);
      const digest = await push(`${path}:asked`, graph);

      const deletion = await remove(`${path}:asked`, guard(digest), 'isolate');

      expect(deletion).toMatchObject(outcomeOf(abilities.isolated));
      await expectPullable(`${path}:sibling`, graph);
      // a deletion that cannot be done leaves the tag as it was
      expect(await digestAt(`${path}:asked`)).toBe(deletion.outcome === 'deleted' ? 'missing' : digest);
    });

    test('a digest that an index lists stays, so that the index is whole', async () => {
      const child = anImage('child');
      const index = anIndex([child, anImage('other-child', { platform: 'linux/arm64' })]);
      await push('delete/listed:index', index);
      const digest = await push('delete/listed:child', single(child));

      const deletion = await remove('delete/listed:child', guard(digest));

      expect(deletion.outcome).toBe(abilities.shared === 'tag' ? 'deleted' : 'blocked');
      await expectPullable('delete/listed:index', index);
    });

    test('an index that shares a child with another one leaves the other one whole', async () => {
      const common = anImage('common');
      const other = anIndex([common, anImage('this', { platform: 'linux/arm64' })]);
      await push('delete/children:other', other);
      const digest = await push('delete/children:asked', anIndex([common, anImage('that', { platform: 'linux/arm64' })]));

      const deletion = await remove('delete/children:asked', guard(digest), 'isolate');

      expect(deletion).toMatchObject(outcomeOf(abilities.isolated));
      await expectPullable('delete/children:other', other);
    });

    test('a tag that somebody moved is left alone', async () => {
      await push('delete/moved:1', single(anImage('before')));
      const now = await push('delete/moved:1', single(anImage('after')));

      const deletion = await remove('delete/moved:1', guard(anImage('before').manifest.digest));

      expect(deletion).toMatchObject({ outcome: 'blocked', reason: 'digest-changed' });
      expect(await digestAt('delete/moved:1')).toBe(now);
    });

    test('a doubtful inventory never deletes a digest', async () => {
      const digest = await push('delete/doubt:1', single(anImage('doubt')));
      const deletion = await remove('delete/doubt:1', guard(digest, { inventory: 'unknown' }));
      expect(deletion).toMatchObject(outcomeOf(abilities.shared));
    });

    test('nothing outside the mirror is touched, and mirror does not cover mirror2', async () => {
      const digest = await push('mirror2/app:1', single(anImage('outside')));

      await expect(remove('mirror2/app:1', guard(digest, { prefix: `${under.host}/mirror` }))).rejects.toMatchObject({ code: 'invalid', side: 'destination' });

      expect(await digestAt('mirror2/app:1')).toBe(digest);
    });

    test('what was copied beside an image goes with the last tag of its digest', async () => {
      const digest = await push('delete/beside:1', single(anImage('beside')));
      const signature = `sha256-${digest.slice(7)}.sig`;
      const beside = [{ tag: signature, digest: await push(`delete/beside:${signature}`, single(anImage('signature'))) }];

      const deletion = await remove('delete/beside:1', guard(digest, { beside }));

      expect(deletion).toMatchObject(outcomeOf(abilities.alone));
      expect(await digestAt(`delete/beside:${signature}`)).toBe(deletion.outcome === 'deleted' ? 'missing' : beside[0]?.digest);
    });

    test('what was copied beside an image stays while another tag has its digest', async () => {
      await push('delete/kept:sibling', single(anImage('kept')));
      const digest = await push('delete/kept:asked', single(anImage('kept')));
      const signature = `sha256-${digest.slice(7)}.sig`;
      const beside = [{ tag: signature, digest: await push(`delete/kept:${signature}`, single(anImage('kept-signature'))) }];

      await remove('delete/kept:asked', guard(digest, { beside }), 'isolate');

      await expectPullable(`delete/kept:${signature}`, single(anImage('kept-signature')));
    });
  });
}

/** Manifests, children and every blob, verified as they are read. */
export async function pullWhole(registry: Registry, at: ImageRef, graph: AGraph, as: Identity): Promise<void> {
  const root = await registry.manifest(at, as, aCall());
  expect(root.digest).toBe(graph.root.digest);
  for (const { manifest } of graph.images) {
    const { blobs } = await registry.manifest({ host: at.host, path: at.path, digest: manifest.digest }, as, aCall());
    for (const blob of blobs) for await (const chunk of registry.blob(at, blob, as, aCall())) void chunk;
  }
}

function outcomeOf(ability: 'tag' | 'digest' | 'isolated' | DeletionBlock): Partial<Deletion> {
  return ability === 'tag' || ability === 'digest' || ability === 'isolated' ? { outcome: 'deleted', by: ability } : { outcome: 'blocked', reason: ability };
}
