import { describe, expect, test } from '@jest/globals';
import { Guard, type NamedBy, type NetworkRules } from '../../../src/registry/http/guard.js';
import { mayAuthenticate } from '../../../src/registry/http/realms.js';
import { covers } from '../../../src/registry/http/scope.js';
import { endpointOf, type HostSettings } from '../../../src/registry/http/settings.js';

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
    ['a host and port that the operator allows', 'registry.example.com', 'sso.other.org:8443', { allowHosts: ['sso.other.org:8443'] }, true],
    ['the same host at another port', 'registry.example.com', 'sso.other.org:9443', { allowHosts: ['sso.other.org:8443'] }, false],
    ['a neighbour below a domain of strangers', 'ours.azurecr.io', 'theirs.azurecr.io', {}, false],
    ['a neighbour below a national domain', 'shop.co.uk', 'bank.co.uk', {}, false],
    ['a sibling below a national domain', 'registry.shop.co.uk', 'auth.shop.co.uk', {}, true],
    ['a host of Docker Hub’s for somebody else’s registry', 'registry.example.com', 'auth.docker.io', {}, false],
    ['a domain that only looks allowed', 'registry.example.com', 'sso-other.org', { allowHosts: ['*.other.org'] }, false],
  ])('%s', (_sentence, host, realm, settings, expected) => {
    expect(mayAuthenticate(new URL(`https://${realm}/token`), endpointOf(host, settings))).toBe(expected);
  });
});

describe('where we may connect', () => {
  const reachable = (address: string, namedBy: NamedBy, network: NetworkRules = {}): boolean => {
    const literal = address.includes(':') ? `[${address}]` : address;
    const guard = new Guard(network);
    const checks = [(): void => guard.checkName('host.test', [address], namedBy), (): void => guard.checkLiteral(new URL(`https://${literal}/`), namedBy)];
    const [asName, asLiteral] = checks.map((check) => {
      try {
        check();
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: 'KUIK_GUARD' });
        return false;
      }
    });
    expect(asName).toBe(asLiteral);
    return asName!;
  };

  // who may name it: settings of the operator, a rule or Pod, an answer that the operator vouches for, any answer
  const everybody = 'operator rule vouched answer';
  test.each([
    ['public', '203.0.113.5', everybody],
    ['public, IPv6', '2606:4700::1', everybody],
    ['private', '10.1.2.3', 'operator rule vouched'],
    ['private', '172.31.255.255', 'operator rule vouched'],
    ['public beside it', '172.32.0.1', everybody],
    ['private', '192.168.1.1', 'operator rule vouched'],
    ['carrier-grade NAT', '100.64.0.1', 'operator rule vouched'],
    ['unique local', 'fd12::1', 'operator rule vouched'],
    ['private, mapped', '::ffff:10.0.0.1', 'operator rule vouched'],
    ['private, through NAT64', '64:ff9b::10.0.0.1', 'operator rule vouched'],
    ['loopback', '127.0.0.1', 'operator rule'],
    ['loopback, another one', '127.9.9.9', 'operator rule'],
    ['loopback, IPv6', '::1', 'operator rule'],
    ['loopback, mapped', '::ffff:127.0.0.1', 'operator rule'],
    ['loopback, 6to4', '2002:7f00:1::', 'operator rule'],
    ['metadata', '169.254.169.254', ''],
    ['metadata, mapped', '::ffff:169.254.169.254', ''],
    ['metadata, through NAT64', '64:ff9b::169.254.169.254', ''],
    ['metadata, translated', '::ffff:0:169.254.169.254', ''],
    ['metadata, 6to4', '2002:a9fe:a9fe::1', ''],
    ['metadata of EC2 over IPv6', 'fd00:ec2::254', ''],
    ['metadata of Alibaba', '100.100.100.200', ''],
    ['the wire server of Azure', '168.63.129.16', ''],
    ['link-local', 'fe80::1', ''],
    ['unspecified', '0.0.0.0', ''],
    ['unspecified, IPv6', '::', ''],
    ['IPv4-compatible', '::10.0.0.1', ''],
    ['multicast', '224.0.0.1', ''],
    ['multicast, IPv6', 'ff02::1', ''],
    ['broadcast', '255.255.255.255', ''],
  ])('%s (%s) may be named by: %s', (_kind, address, expected) => {
    const allowed = (['operator', 'rule', 'vouched', 'answer'] as const).filter((namedBy) => reachable(address, namedBy));
    expect(allowed.join(' ')).toBe(expected);
  });

  test.each<[string, NetworkRules, string, NamedBy, boolean]>([
    ['deny closes what the table opens', { deny: ['10.0.0.0/8'] }, '10.1.2.3', 'operator', false],
    ['deny closes public networks, too', { deny: ['203.0.113.0/24'] }, '203.0.113.5', 'rule', false],
    ['deny of IPv4 holds for its mapped form', { deny: ['10.0.0.0/8'] }, '::ffff:10.1.2.3', 'rule', false],
    ['deny of IPv4 holds behind NAT64', { deny: ['203.0.113.0/24'] }, '64:ff9b::203.0.113.5', 'rule', false],
    ['allow is the exception to deny', { deny: ['10.0.0.0/8'], allow: ['10.1.2.0/24'] }, '10.1.2.3', 'rule', true],
    ['and only as far as it goes', { deny: ['10.0.0.0/8'], allow: ['10.1.2.0/24'] }, '10.1.3.3', 'rule', false],
    ['allow lets answers name a private network', { allow: ['10.0.0.0/8'] }, '10.1.2.3', 'answer', true],
    ['allow opens link-local for a registry with settings of its own', { allow: ['169.254.20.0/24'] }, '169.254.20.10', 'operator', true],
    ['but not for one that a Pod names', { allow: ['169.254.20.0/24'] }, '169.254.20.10', 'rule', false],
    ['nor for one that an answer names', { allow: ['0.0.0.0/0'] }, '169.254.169.254', 'answer', false],
    ['the API server is nobody’s registry', { apiServer: ['10.96.0.1'] }, '10.96.0.1', 'rule', false],
    ['not even in a network that is allowed, for a Pod', { apiServer: ['10.96.0.1'], allow: ['10.0.0.0/8'] }, '10.96.0.1', 'rule', false],
    ['its neighbours are ordinary', { apiServer: ['10.96.0.1'] }, '10.96.0.2', 'rule', true],
  ])('%s', (_sentence, network, address, namedBy, expected) => {
    expect(reachable(address, namedBy, network)).toBe(expected);
  });

  test.each(['10.0.0.0/33', 'fc00::/129', 'nonsense', '10.0.0.0/', '10.0.0.0/-1', '10.0.0/8'])('%s is no network', (cidr) => {
    expect(() => new Guard({ deny: [cidr] })).toThrow('is no network');
  });

  test.each<[string, string, string, HostSettings, string]>([
    ['itself on another port', '10.0.0.5:5000', '10.0.0.5:9000', {}, 'rule'],
    ['itself, being configured', '10.0.0.5:5000', '10.0.0.5:9000', { isConfigured: true }, 'operator'],
    ['a neighbour', '10.0.0.5:5000', '10.0.0.6', {}, 'answer'],
    ['a neighbour, being configured and private', '10.0.0.5:5000', '10.0.0.6', { isConfigured: true }, 'vouched'],
    ['somebody, being configured and public', '203.0.113.5', '10.0.0.6', { isConfigured: true }, 'answer'],
    ['a host that the operator allows', 'reg.test', 'storage.test', { allowHosts: ['storage.test'] }, 'vouched'],
    ['somebody, under a name that was never looked up', 'reg.test', 'storage.test', { isConfigured: true }, 'answer'],
    ['localhost, being on loopback', '127.0.0.1:5000', 'localhost:9000', {}, 'rule'],
  ])('a registry names %s', (_sentence, host, target, settings, namedBy) => {
    expect(new Guard().namedBy(new URL(`https://${target}/x`), endpointOf(host, settings))).toBe(namedBy);
  });

  test('a configured registry is private when all its addresses were', () => {
    const registry = endpointOf('reg.test', { isConfigured: true });
    const guard = new Guard();

    guard.checkName('reg.test', ['10.0.0.5', 'fd00::5'], 'operator');
    expect(guard.namedBy(new URL('https://storage.test/x'), registry)).toBe('vouched');

    guard.checkName('reg.test', ['10.0.0.5', '203.0.113.5'], 'operator');
    expect(guard.namedBy(new URL('https://storage.test/x'), registry)).toBe('answer');
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
