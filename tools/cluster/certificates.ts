/** Who is who in a cluster: an authority of its own, and certificates that name users and servers alike. */
import 'reflect-metadata'; // before @peculiar/x509, or it fails on Node
import { randomBytes, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { makeAuthority, type KeyPair } from '../../src/webhook/x509.js';

export interface Subject {
  /** `system:kube-scheduler` */
  readonly commonName: string;
  /** its group: `system:masters` */
  readonly organization?: string;
  /** names it answers under, where it is a server */
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
}

export interface Authority {
  /** PEM */
  readonly certificate: string;
  issue(subject: Subject): Promise<KeyPair>;
}

const lifetimeMs = 30 * 86_400_000; // clusters of tests live for minutes, those of a demo for days
const curve = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export async function makeClusterAuthority(): Promise<Authority> {
  const now = Date.now();
  const pair = await makeAuthority('kuik-cluster', now, lifetimeMs);
  return { certificate: pair.certificate, issue: (subject) => issue(pair, subject, now) };
}

/** @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates */
async function issue(authority: KeyPair, { commonName, organization, dns = [], ips = [] }: Subject, now: number): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(curve, true, ['sign', 'verify']);
  const names = [...dns.map((value) => ({ type: 'dns' as const, value })), ...ips.map((value) => ({ type: 'ip' as const, value }))];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: `01${randomBytes(15).toString('hex')}`,
    subject: [...(organization === undefined ? [] : [{ O: [organization] }]), { CN: [commonName] }],
    issuer: new x509.X509Certificate(authority.certificate).subject,
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + lifetimeMs),
    publicKey: keys.publicKey,
    signingKey: await signingKey(authority.privateKey),
    signingAlgorithm: curve,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
  });
  return { certificate: certificate.toString('pem'), privateKey: x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY') };
}

function signingKey(pem: string): Promise<webcrypto.CryptoKey> {
  const [key] = x509.PemConverter.decode(pem);
  if (key === undefined) throw new Error('the authority has no key');
  return crypto.subtle.importKey('pkcs8', key, curve, false, ['sign']);
}
