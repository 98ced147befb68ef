import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { gap, redactedObject, redactedText } from '../../src/commands/bundle/redact.js';
import { tarOf } from '../../src/commands/bundle/tar.js';

describe('a text leaves without', () => {
  test.each<[string, string]>([
    ['a bearer token', 'authorization: Bearer canary'],
    ['basic credentials', '"Authorization":"Basic Y2FuYXJ5OmNhbmFyeQ==canary"'],
    ['a password in an address', 'pull https://me:canary@registry.example.com/v2/ failed'],
    ['a user alone in an address', 'dial tcp redis://canary@cache'],
    ['a password before a registry', 'join to me:canary@r.example.com/x/a, which is none'],
    ['what stands in a query', 'GET https://cdn.example.com/blob?sig=canary&expires=canary'],
    ['a signed token', 'token eyJhbGciOiJSUzI1NiJ9.eyJjYW5hcnkiOjF9.canary'],
    ['a password in YAML', 'db:\n  password: canary\n  user: me'],
    ['a quoted password in YAML', 'apiKey: "canary"'],
    ['a password in JSON', '{"password":"canary","user":"me"}'],
    ['a password in JSON inside JSON', '{"note":"{\\"password\\":\\"canary\\"}"}'],
    ['a password in an argument', '--db-password=canary --port=5'],
    ['a password in a connection string', 'host=db password=canary sslmode=on'],
    ['a token of GitHub', 'ghp_canarycanarycanarycanarycanary'],
    ['a private key', '-----BEGIN EC PRIVATE KEY-----\ncanary\n-----END EC PRIVATE KEY-----\n'],
    ['a private key that was cut', '-----BEGIN PRIVATE KEY-----\ncanary'],
    ['a private key inside JSON', '{"pem":"-----BEGIN PRIVATE KEY-----\\ncanary\\n-----END PRIVATE KEY-----"}'],
    ['credentials of Docker', '".dockerconfigjson": "canary"'],
  ])('%s', (_sentence, text) => {
    expect(redactedText(text)).not.toContain('canary');
  });

  test.each([
    'registry.example.com/mirror/library/nginx:1.27@sha256:0123456789abcdef',
    'credentialSecret: {name: push, namespace: kuik-system}',
    'secretName: push',
    '2026-11-20T10:00:00.000Z info copied image=docker.io/library/nginx:1.27 bytes=5',
    'temporal.address: kuik-temporal.kuik-system.svc:7233',
    'imagePullSecrets:\n  - name: pull',
  ])('and with %s as it is', (text) => {
    expect(redactedText(text)).toBe(text);
  });
});

describe('an object leaves without', () => {
  test.each<[string, object]>([
    ['a field that is called like a secret', { spec: { password: 'canary', apiToken: 'canary' } }],
    ['the value of a variable that is', { env: [{ name: 'SQL_PASSWORD', value: 'canary' }] }],
    ['a list of secrets', { tokens: [{ token: 'canary' }], password: ['canary'] }],
    ['the copy that kubectl keeps of it', { metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"x":"canary"}' } } }],
    ['who wrote which field', { metadata: { managedFields: [{ manager: 'canary' }] } }],
    ['what a file inside it says', { data: { 'config.yaml': 'temporal:\n  apiKey: canary\n' } }],
    ['what an argument says', { args: ['--token=canary'] }],
  ])('%s', (_sentence, object) => {
    expect(JSON.stringify(redactedObject(object))).not.toContain('canary');
  });

  test('and keeps what it is about, the names of Secrets included', () => {
    const rule = { metadata: { name: 'main' }, spec: { mirrors: [{ registry: 'r.example.com', credentialSecret: { name: 'push', namespace: 'kuik' } }] }, env: [{ name: 'LEVEL', value: 'info' }, { name: 'P', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }] };

    expect(redactedObject(rule)).toEqual(rule);
  });

  test('and says where something was', () => {
    expect(redactedObject({ password: 'canary' })).toEqual({ password: gap });
  });
});

test('tar itself unpacks the archive: names, long ones too, contents of any length, and times', () => {
  const dir = mkdtempSync(join(tmpdir(), 'kuik-tar-'));
  const long = `logs/${'p'.repeat(120)}/${'c'.repeat(60)}.log`;
  const files = [{ path: 'empty.txt', content: '' }, { path: 'exact.txt', content: 'x'.repeat(512) }, { path: 'ümlaut-free.txt'.replace('ü', 'u'), content: 'käse\n' }, { path: long, content: 'y'.repeat(1000) }];

  writeFileSync(join(dir, 'a.tar'), tarOf(files, Date.parse('2026-11-20T12:00:00Z')));

  const listed = execFileSync('tar', ['-tvf', 'a.tar', '--utc'], { cwd: dir, encoding: 'utf8' });
  expect(listed).toMatch(/-rw-r--r-- 0\/0 +512 2026-11-20 12:00 exact\.txt\n/);
  execFileSync('tar', ['-xf', 'a.tar'], { cwd: dir });
  for (const { path, content } of files) expect(readFileSync(join(dir, path), 'utf8')).toBe(content);
});
