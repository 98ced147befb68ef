import { describe, expect, test } from '@jest/globals';
import { meetsPlatform, parsePlatform, platformText, withPlatforms, type Platform } from '../../src/domain/platform.js';

describe('platforms', () => {
  test.each<[string, Platform | undefined]>([
    ['linux/amd64', { os: 'linux', architecture: 'amd64' }],
    ['linux/arm64/v8', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
    ['*/amd64', { architecture: 'amd64' }],
    ['linux', undefined],
    ['linux/arm/v7/x', undefined],
  ])('%s is read, and written back', (text, platform) => {
    expect(parsePlatform(text)).toEqual(platform);
    if (platform !== undefined) expect(platformText(platform)).toBe(text);
  });

  test.each([
    ['the same platform', 'linux/amd64', { os: 'linux', architecture: 'amd64' }, true],
    ['another architecture', 'linux/arm64', { os: 'linux', architecture: 'amd64' }, false],
    ['another operating system', 'windows/amd64', { os: 'linux', architecture: 'amd64' }, false],
    ['any operating system where none is wanted', 'windows/amd64', { architecture: 'amd64' }, true],
    ['any architecture where only a system is wanted', 'linux/s390x', { os: 'linux' }, true],
    ['the usual variant of arm64, left out', 'linux/arm64', { architecture: 'arm64', variant: 'v8' }, true],
    ['the usual variant of arm, written', 'linux/arm/v7', { architecture: 'arm', variant: 'v7' }, true],
    ['the usual variant of arm, left out', 'linux/arm', { architecture: 'arm', variant: 'v7' }, true],
    ['another variant', 'linux/arm/v6', { architecture: 'arm', variant: 'v7' }, false],
    ['any variant where none is wanted', 'linux/arm/v6', { architecture: 'arm' }, true],
  ] as const)('a wish is compared with %s', (_sentence, found, wanted, isMet) => {
    expect(meetsPlatform(parsePlatform(found) ?? { architecture: '' }, wanted)).toBe(isMet);
  });
});

test('platforms that are covered already are not named twice', () => {
  const nodes = [{ os: 'linux', architecture: 'amd64' }, { os: 'linux', architecture: 'arm64' }, { os: 'linux', architecture: 'arm64', variant: 'v8' }];

  expect(withPlatforms([{ architecture: 'amd64' }], nodes)).toEqual([{ architecture: 'amd64' }, { os: 'linux', architecture: 'arm64' }]);
});
