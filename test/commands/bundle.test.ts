import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { redactedObject, redactedText } from '../../src/commands/bundle/redact.js';
import { gap } from '../../src/commands/bundle/redact-text.js';
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
    ['a quoted password with blanks', 'password: "correct canary"'],
    ['a quoted password with what ends a value elsewhere', 'password: "aB;9&x,z}canary"'],
    ['a quoted password with a backslash and a quote', 'say password="a\\\\b\\"canary" port=5'],
    ['the same in single quotes', "say password='it''s a canary' port=5"],
    ['a quoted password that was cut', 'say password="a canary'],
    ['a password in JSON with what ends a value elsewhere', 'got {"password":"a,b;canary","user":"me"}'],
    ['the same in JSON inside JSON', 'got {"note":"{\\"password\\":\\"a, b\\\\\\"; canary\\"}"}'],
    ['a list of tokens', 'got tokens: ["a b", "canary"]'],
    ['a password without quotes, and with what ends a value elsewhere', 'db:\n  password: aB;9&canary\n'],
    ['a password of several words', 'password: correct canary'],
    ['a password on lines of its own', 'db:\n  password: |\n    first canary\n\n    second canary\n  user: me'],
    ['the same folded', 'password: >-\n  canary\n'],
    ['a password that begins on the next line', 'password:\n  canary\n'],
    ['a list of passwords', 'passwords:\n- canary\n- canary two\nuser: me'],
    ['a password that goes on on the next line', 'password: "first\n  canary"\n'],
    ['a password that looks like the front of a list', 'password: [canary\npassword={canary'],
    ['a password in a connection string', 'Server=db;User=me;Password=a b,canary'],
    ['a password behind its flag', 'run --password canary --port 5'],
    ['a quoted one behind its flag', "sh -c mysql --password 'a canary'"],
    ['one behind its flag in a list', 'exec ["--password","canary"]'],
    ['one behind its flag in a list of lines', 'args:\n  - --password\n  - canary\n  - --port'],
    ['the value of a variable that is one', '- name: SQL_PASSWORD\n  value: a canary\n'],
    ['the same in JSON', 'got {"name":"SQL_PASSWORD","value":"a, canary"}'],
    ['a line of a log in JSON, behind the time of the API server', '2026-11-28T10:00:00.123456789Z {"msg":"login password=a","password":"a canary"}'],
    ['lines of a log that belong together', ['{"level":"info"}', 'password: |', '  a canary', '-----BEGIN PRIVATE KEY-----', 'canary', '-----END PRIVATE KEY-----', '{"token":"canary"}'].map((line) => `2026-11-28T10:00:00.123456789Z ${line}\n`).join('')],
    ['a user and password behind their flag', "curl -u me:canary --proxy-user 'me:a canary' --user=me:canary https://x.example.com"],
    ['a cookie of several values', 'set-cookie: a=canary; b=canary'],
    ['a header of several values', 'sent Authorization: Digest username="canary", response="canary"'],
    ['a password with a slash in an address', 'redis://me:a/canary@cache'],
    ...['SECRET_KEY', 'MINIO_SECRET_KEY', 'REGISTRY_STORAGE_S3_SECRETKEY', 'secretkey', 'clientSecretKey', 'ENCRYPTION_KEY', 'signingKeys', 'DB_PASS'].map((name): [string, string] => [`what is called ${name}`, `got ${name}=canary`]),
  ])('%s', (_sentence, text) => {
    expect(redactedText(text)).not.toContain('canary');
  });

  test.each([
    'registry.example.com/mirror/library/nginx:1.27@sha256:0123456789abcdef',
    'credentialSecret: {name: push, namespace: kuik-system}',
    'secretName: push',
    'credentialSecret:\n  name: push\n  namespace: kuik-system',
    'apiKey:\n  # its presence turns TLS on\n  secretName: push\n  key: api-key',
    'secretNamespaces: []\nautomountServiceAccountToken: false\nexistingSecret: "push"\ncaSecret: ""',
    'got {"credentialSecret":{"name":"push"},"publicKey":"abc"}',
    '--set-secret-name push --port 5',
    'pulled https://registry.example.com:5000/a/b@sha256:0123456789abcdef',
    '- name: LEVEL\n  value: info\n',
    '{"level":"info","msg":"copied","bytes":12345678901234567890,"image":"docker.io/library/nginx:1.27"}',
    '2026-11-20T10:00:00.000Z info copied image=docker.io/library/nginx:1.27 bytes=5',
    'temporal.address: kuik-temporal.kuik-system.svc:7233',
    'imagePullSecrets:\n  - name: pull',
  ])('and with %s as it is', (text) => {
    expect(redactedText(text)).toBe(text);
  });
});

test('a text keeps its lines, and each the time in front of it', () => {
  const lines = ['{"level":"info"}', 'password: |', '  a canary', '-----BEGIN PRIVATE KEY-----', 'canary', '-----END PRIVATE KEY-----', 'done', ''];
  const stamped = (each: readonly string[]): string => each.map((line, at) => `2026-11-28T10:00:0${at}.5Z ${line}`).join('\n');

  expect(redactedText(stamped(lines))).toBe(stamped(['{"level":"info"}', `password: ${gap}`, '', gap, '', '', 'done', '']));
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
    ['what an argument of its own says', { args: ['--password', 'canary', '--port'] }],
    ['what a secret of several fields says', { auth: { basic: 'canary' }, passwords: { admin: 'canary' }, credentials: { aws: { id: ['canary'] } } }],
    ['what a file inside it says on lines of its own', { data: { 'config.yaml': 'temporal:\n  password: |\n    canary\n' } }],
    ['what a file inside a file inside it says', { data: { 'a.yaml': 'b.json: |\n  {"password": "a, canary"}\n' } }],
    ['what a file of several documents says', { data: { 'a.yaml': 'a: 1\n---\npasswords: [canary, "a b canary"]\n' } }],
    ['what a file says that is no text', { binaryData: { 'store.p12': 'Y2FuYXJ5canary' } }],
    ['what somebody commented out', { data: { 'a.yaml': 'a: 1\n# password: canary\n' } }],
    ['what a file that nobody can read says', { data: { 'a.ini': '[db]\npassword = a canary; b canary\n' } }],
  ])('%s', (_sentence, object) => {
    expect(JSON.stringify(redactedObject(object))).not.toContain('canary');
  });

  test('and keeps what it is about, the names of Secrets included', () => {
    const rule = { metadata: { name: 'main' }, spec: { mirrors: [{ registry: 'r.example.com', credentialSecret: { name: 'push', namespace: 'kuik' } }] }, env: [{ name: 'LEVEL', value: 'info' }, { name: 'P', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }], volumes: [{ secret: { secretName: 'tls', defaultMode: 420, items: [{ key: 'tls.key', path: 'tls.key' }] } }, { projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }] } }], automountServiceAccountToken: true, data: { 'config.yaml': '# of ours\ntemporal: {address: "x:7233"}\n' } };

    expect(redactedObject(rule)).toEqual(rule);
  });

  test('and says where something was', () => {
    expect(redactedObject({ password: 'canary', token: 1234567, port: 5 })).toEqual({ password: gap, token: gap, port: 5 });
  });
});

/** Every way in which a password is written down. */
const writings: Readonly<Record<string, (password: string) => string>> = {
  'YAML in double quotes': (password) => `db:\n  password: ${JSON.stringify(password)}\n  user: me\n`,
  'YAML in single quotes': (password) => `db:\n  password: '${password.replaceAll("'", "''")}'\n  user: me\n`,
  'YAML without quotes, where it needs none': (password) => stringify({ db: { password, user: 'me' } }, { defaultStringType: 'PLAIN', lineWidth: 0 }),
  'YAML on a line of its own': (password) => `db:\n  password: |\n    ${password}\n  user: me\n`,
  'YAML folded': (password) => `- password: >-\n    ${password}\n  user: me\n`,
  'YAML in braces': (password) => `db: {user: me, password: ${JSON.stringify(password)}}\n`,
  JSON: (password) => JSON.stringify({ db: { password, user: 'me' } }),
  'JSON on several lines': (password) => JSON.stringify({ db: { password, user: 'me' } }, undefined, 2),
  'JSON behind a time': (password) => `12:00 ${JSON.stringify({ password, user: 'me' })}`,
  'JSON inside JSON behind a time': (password) => `12:00 ${JSON.stringify({ note: JSON.stringify({ password, user: 'me' }) })}`,
  'a line of a file of variables': (password) => `A=b\nDB_PASSWORD=${password}\nC=d\n`,
  'a variable in quotes': (password) => `env "DB_PASSWORD=${password.replaceAll(/["\\]/g, '\\$&')}" run`,
  'a flag': (password) => `--password=${password}`,
  'a flag in the quotes of a shell': (password) => `sh -c run --password '${password.replaceAll("'", String.raw`'\''`)}' --port 5`,
  'the same without a blank': (password) => `run --password='${password.replaceAll("'", String.raw`'\''`)}' --port 5`,
  'a flag in a list': (password) => `exec ${JSON.stringify(['--password', password, '--port'])}`,
};

/** Printable, without a blank at its ends, which YAML would not keep. */
const passwords = fc.string({ unit: 'grapheme-ascii', minLength: 8, maxLength: 40 }).filter((text) => text.trim() === text);

/** Pieces of a password that would give it away, but for what stands in the text anyhow. */
function traces(password: string, without: string): readonly string[] {
  const pieces = Array.from({ length: password.length - 4 }, (_, at) => password.slice(at, at + 5));
  return pieces.filter((piece) => !without.includes(piece));
}

describe('no password leaves, whatever it is made of, written as', () => {
  test.each(Object.entries(writings))('%s', (_what, write) => {
    fc.assert(
      fc.property(passwords, (password) => {
        const text = write(password);
        const known = write('') + gap;
        for (const left of [redactedText(text), ...(redactedObject([text]) as readonly string[])]) {
          expect(traces(password, known).filter((piece) => left.includes(piece))).toEqual([]);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('fields, variables and arguments of an object', () => {
    fc.assert(
      fc.property(passwords, (password) => {
        const left = JSON.stringify(redactedObject({ password, tokens: [password], env: [{ name: 'DB_PASSWORD', value: password }], args: ['--password', password, `--token=${password}`] }));

        expect(left).toBe(JSON.stringify({ password: gap, tokens: [gap], env: [{ name: 'DB_PASSWORD', value: gap }], args: ['--password', gap, `--token=${gap}`] }));
      }),
    );
  });
});

test('a long log is gone through quickly', () => {
  const lines = ['a'.repeat(20_000), '"'.repeat(20_000), '\\'.repeat(20_000), 'password='.repeat(2_000), `password="${'\\"'.repeat(10_000)}`, '--'.repeat(10_000), 'x:'.repeat(10_000), 'http://'.repeat(2_000), '[{'.repeat(10_000), `token${' '.repeat(20_000)}`];
  const started = performance.now();

  redactedText(lines.join('\n'));

  expect(performance.now() - started).toBeLessThan(2_000);
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
