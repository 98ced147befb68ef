import { describe, expect, test } from '@jest/globals';
import { checkAddress, mayAuthenticate, trustOf } from '../../../src/registry/http/guard.js';
import { covers } from '../../../src/registry/http/scope.js';
import { endpointOf } from '../../../src/registry/http/settings.js';

describe('where a registry answers', () => {
  test.each([
    ['a name', 'reg.test', {}, 'https://reg.test', ''],
    ['a name with a port', 'registry:5000', {}, 'https://registry:5000', ''],
    ['Docker Hub, under another name', 'docker.io', {}, 'https://registry-1.docker.io', ''],
    ['localhost, without TLS', 'localhost:5000', {}, 'http://localhost:5000', ''],
    ['a loopback address, without TLS', '127.0.0.3:5000', {}, 'http://127.0.0.3:5000', ''],
    ['the IPv6 loopback, without TLS', '[::1]:5000', {}, 'http://[::1]:5000', ''],
    ['a private address, with TLS', '10.0.0.5:5000', {}, 'https://10.0.0.5:5000', ''],
    ['an IPv6 literal', '[2001:db8::1]:5000', {}, 'https://[2001:db8::1]:5000', ''],
    ['a name that only begins like one', 'localhost.evil.test', {}, 'https://localhost.evil.test', ''],
    ['a host that is plain by configuration', 'reg.test:80', { plainHTTP: true }, 'http://reg.test', ''],
    ['an endpoint below a path', 'reg.test', { endpoint: 'proxy.test:8443', pathPrefix: '/docker/' }, 'https://proxy.test:8443', '/docker'],
  ])('%s', (_sentence, host, settings, origin, prefix) => {
    expect(endpointOf(host, settings)).toMatchObject({ host, origin, prefix });
  });
});

describe('who may see credentials', () => {
  test.each([
    ['the registry itself', 'reg.example.com', 'reg.example.com', {}, true],
    ['a sibling of at least two labels', 'registry.example.com', 'auth.example.com', {}, true],
    ['a child', 'example.com', 'auth.example.com', {}, true],
    ['Docker Hub’s token service', 'docker.io', 'auth.docker.io', {}, true],
    ['a host that shares only the last label', 'registry.example.com', 'auth.evil.com', {}, false],
    ['a host that ends like it', 'example.com', 'notexample.com', {}, false],
    ['another address of the same network', '10.0.0.5', '10.0.0.6', {}, false],
    ['a host that the operator allows', 'registry.example.com', 'sso.other.org', { allowHosts: ['sso.other.org'] }, true],
    ['a domain that the operator allows', 'registry.example.com', 'sso.other.org', { allowHosts: ['*.other.org'] }, true],
    ['a domain that only looks allowed', 'registry.example.com', 'sso-other.org', { allowHosts: ['*.other.org'] }, false],
  ])('%s', (_sentence, host, realm, settings, expected) => {
    expect(mayAuthenticate(new URL(`https://${realm}/token`), endpointOf(host, settings))).toBe(expected);
  });
});

describe('where we may connect', () => {
  test.each([
    ['203.0.113.5', 'answered', true],
    ['10.1.2.3', 'named', true],
    ['10.1.2.3', 'answered', false],
    ['100.64.0.1', 'answered', false],
    ['fd12::1', 'answered', false],
    ['127.0.0.1', 'named', true],
    ['127.0.0.1', 'answered', false],
    ['::1', 'answered', false],
    ['169.254.169.254', 'named', false],
    ['fe80::1', 'named', false],
    ['fd00:ec2::254', 'named', false],
    ['0.0.0.0', 'named', false],
    ['::', 'named', false],
    ['224.0.0.1', 'named', false],
    ['::ffff:169.254.169.254', 'named', false],
    ['::ffff:10.0.0.1', 'answered', false],
  ] as const)('%s, %s: %s', (address, trust, isAllowed) => {
    const check = (): void => checkAddress(address, trust, 'host.test');
    if (isAllowed) expect(check).not.toThrow();
    else expect(check).toThrow(/host\.test is at/);
  });

  test('a registry may point to itself on another port, and nowhere else of its network', () => {
    const registry = endpointOf('10.0.0.5:5000', {});
    expect(trustOf(new URL('https://10.0.0.5:9000/x'), registry)).toBe('named');
    expect(trustOf(new URL('https://10.0.0.6/x'), registry)).toBe('answered');
  });
});

describe('scopes', () => {
  test.each([
    ['writing covers reading', ['repository:a/b:pull,push'], ['repository:a/b:pull'], true],
    ['reading does not cover writing', ['repository:a/b:pull'], ['repository:a/b:pull,push'], false],
    ['another repository is another scope', ['repository:a/b:pull'], ['repository:a:pull'], false],
    ['two scopes together', ['repository:a:pull', 'repository:a:push'], ['repository:a:pull,push'], true],
    ['a path with a colon', ['repository:host:5000/a:pull'], ['repository:host:5000/a:pull'], true],
    ['nothing is always covered', [], [], true],
  ])('%s', (_sentence, held, wanted, expected) => {
    expect(covers(held, wanted)).toBe(expected);
  });
});
