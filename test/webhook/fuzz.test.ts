/**
 * What no input may bring about: a crash, a denial, a patch that does not apply, a second answer that differs. A sample
 * of what `npm run fuzz` plays a million times, and what is worth a sample only.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { podPatch } from '../../src/webhook/pod-patch.js';
import { explanationsAreDecisions } from '../support/fuzz/agreement.js';
import { anyPod, image, inJson, name } from '../support/fuzz/pods.js';
import { aFuzzWorld, reviewsAreAdmitted } from '../support/fuzz/reviews.js';
import { referencesAreRead } from '../support/fuzz/references.js';
import { tenantsKeepApart } from '../support/fuzz/tenants.js';
import { aPod, imagesOf } from './world.js';

const runs = Number(process.env.FUZZ_RUNS ?? 1_500);

test('an AdmissionReview, however mutated, is answered with allowed, its own uid and a patch that applies, or by nobody', () => fc.assert(reviewsAreAdmitted(), { numRuns: runs }));

test('a text, whatever it holds, is read or refused as another parser of references does', () => {
  fc.assert(referencesAreRead(), { numRuns: runs * 10 });
});

test('tenants never get what another tenant may see: any interleaving gives each what it would get alone', () => fc.assert(tenantsKeepApart(), { numRuns: runs / 5 }));

test('a Pod is explained as it was decided, whatever the cluster', () => fc.assert(explanationsAreDecisions(), { numRuns: runs / 3 }));

describe('another invocation', () => {
  test('on the result changes nothing', async () => {
    const world = aFuzzWorld();
    await fc.assert(
      fc.asyncProperty(anyPod, async (object) => {
        const first = await world.create(inJson(object));
        const second = await world.create(inJson(first.pod));

        expect(second.patch).toEqual([]);
      }),
      { numRuns: runs },
    );
  });

  test('after another webhook added a container leaves the decided ones alone', async () => {
    const world = aFuzzWorld();
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(image, { maxLength: 4 }), image, async (images, added) => {
        const first = await world.create(aPod(images));
        const together = inJson(first.pod);
        together.spec.containers.unshift({ name: 'added', image: added });

        const second = await world.create(together);

        expect(imagesOf(second.pod).slice(1)).toEqual(imagesOf(first.pod));
      }),
      { numRuns: runs / 5 },
    );
  });
});

test('re-applying the original of an updated Pod restarts nothing', async () => {
  const world = aFuzzWorld();
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(image, { minLength: 1, maxLength: 4 }), async (images) => {
      const wanted = aPod(images);
      const running = await world.create(inJson(wanted));
      const applied = { ...inJson(running.pod), spec: { ...inJson(running.pod.spec), containers: inJson(wanted.spec.containers) } };

      const updated = await world.update(applied, inJson(running.pod));

      expect(imagesOf(updated.pod)).toEqual(imagesOf(running.pod));
    }),
    { numRuns: runs / 5 },
  );
});

test('a patch never makes the annotations of a Pod too large', () => {
  fc.assert(
    fc.property(fc.integer({ min: 261_000, max: 262_144 }), fc.dictionary(name, image), (size, originals) => {
      const object = { metadata: { annotations: { big: 'x'.repeat(size - 3) } }, spec: {} };
      const map = new Map(Object.entries(originals));

      const patch = podPatch(object, { images: [], pullSecrets: [], originals: map, reasons: map, rewrittenBy: map });

      if (patch === 'too-large') return;
      const total = patch.reduce((sum, { path, value }) => sum + Buffer.byteLength(String(value)) + path.replace('/metadata/annotations/', '').replace('~1', '/').length, size);
      expect(total).toBeLessThanOrEqual(262_144);
    }),
  );
});
