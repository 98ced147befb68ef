import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readHosts, type Hosts } from '../../../src/commands/copy/hosts.js';
import type { HostSettings } from '../../../src/registry/http/settings.js';

const dir = mkdtempSync(join(tmpdir(), 'kuik-hosts-'));
const ca = join(dir, 'ca.pem');
writeFileSync(ca, 'PEM');
afterAll(() => rmSync(dir, { recursive: true }));

function settingsOf(hosts: Hosts, host: string): HostSettings {
  if (!('settings' in hosts)) throw new Error(hosts.problems.join('\n'));
  return hosts.settings(host);
}

describe('how hosts are spoken to', () => {
  test('each as the command line says, all others as usual', () => {
    const hosts = readHosts({ plainHttp: ['plain:5000'], caFiles: [{ host: 'private.io', file: ca }] }, 1);

    expect(settingsOf(hosts, 'plain:5000')).toMatchObject({ plainHTTP: true });
    expect(settingsOf(hosts, 'private.io')).toMatchObject({ ca: 'PEM' });
    expect(settingsOf(hosts, 'r.io')).toEqual({ metadataConcurrency: 8, blobConcurrency: 4 });
  });

  test('with more requests at once for more images at once', () => {
    expect(settingsOf(readHosts({ plainHttp: [], caFiles: [] }, 8), 'r.io')).toEqual({ metadataConcurrency: 32, blobConcurrency: 32 });
  });

  test('not at all while the command line contradicts itself or names no file, and every problem is named', () => {
    const hosts = readHosts({ plainHttp: ['r.io'], caFiles: [{ host: 'r.io', file: ca }, { host: 's.io', file: join(dir, 'absent') }] }, 1);

    expect(hosts).toEqual({ problems: [expect.stringMatching(/--ca-file r\.io=.*also given to --plain-http/), expect.stringMatching(/--ca-file s\.io=.*ENOENT/)] });
  });
});
