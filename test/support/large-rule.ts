import type { MirroredImage, MirrorFacts } from '../../src/api/report-mirror.js';
import type { Digest } from '../../src/domain/digest.js';
import { imageName, knownImageRef, type ImageName } from '../../src/domain/image-ref.js';
import type { PlaceRecord } from '../../src/domain/record.js';
import { aMirrorRule } from './builders.js';

const at = '2026-11-20T10:50:14Z';
const digest = `sha256:${'a'.repeat(64)}` as Digest;
const failure = { code: 'denied', side: 'destination', message: 'denied by mirror-0.example.com: push', since: at, attempts: 2 } as const;

/** What one image in so many is like; all others are fine. */
const oneIn = { failed: 200, pending: 201, incomplete: 203, unused: 101 } as const;
type Standing = keyof typeof oneIn | 'fine';

export function standingAt(index: number): Standing {
  const found = (Object.keys(oneIn) as (keyof typeof oneIn)[]).find((standing) => index % oneIn[standing] === 0);
  return found ?? 'fine';
}

export const nameAt = (index: number): ImageName => imageName(knownImageRef(`docker.io/library/app:${String(index).padStart(5, '0')}`));

/** A mirror rule with many images, in every standing, each with as many copies as there are mirrors. */
export function aLargeRule(name: string, images: number, mirrors: number): MirrorFacts {
  return {
    rule: aMirrorRule({ name, mirrors: Array.from({ length: mirrors }, (_, index) => ({ index, registry: `mirror-${index}.example.com`, cleanup: { enabled: true } })) }),
    // neither in the order of names nor in that of standings
    images: Array.from({ length: images }, (_, index) => imageAt((index * 7919) % images, mirrors)),
    collisions: [],
    temporalConnected: true,
    isConnected: false,
    secrets: [],
    silent: [],
    passDone: true,
    previous: undefined,
    now: Date.parse(at),
  };
}

function imageAt(index: number, mirrors: number): MirroredImage {
  const standing = standingAt(index);
  const path = nameAt(index).slice(nameAt(index).indexOf('/'));
  const copies = Array.from({ length: mirrors }, (_, mirror) => copyAt(`mirror-${mirror}.example.com${path}` as ImageName, mirror === 0 ? standing : 'fine'));
  return { image: nameAt(index), places: copies, ...(standing === 'unused' ? { unusedSince: at, expiresAt: '2026-12-20T10:50:14Z' } : {}) };
}

function copyAt(reference: ImageName, standing: Standing): PlaceRecord {
  if (standing === 'pending') return { reference };
  return { reference, digest, mirroredAt: at, ...(standing === 'failed' ? { failure } : {}), ...(standing === 'incomplete' ? { missingPlatforms: ['linux/arm64'] } : {}) };
}
