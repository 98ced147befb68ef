import type { AppliedSecret, Secret } from '../domain/secret.js';
import type { SecretRef } from '../domain/rule.js';
import { bundleOf, type Authorities } from './certificates.js';

/** Keys of the Secret. The type `kubernetes.io/tls` wants the first two; cert-manager uses the third in the same sense. */
const keys = { certificate: 'tls.crt', privateKey: 'tls.key', bundle: 'ca.crt', nextCertificate: 'next.crt', nextPrivateKey: 'next.key', published: 'next.published' } as const;

export function readAuthorities(secret: Secret | undefined): Authorities | 'absent' | 'unreadable' {
  if (secret === undefined) return 'absent';
  const text = (key: string): string | undefined => (Object.hasOwn(secret.data, key) ? Buffer.from(secret.data[key] ?? []).toString('utf8') : undefined);

  const current = pair(text(keys.certificate), text(keys.privateKey));
  if (current === undefined) return 'unreadable';
  const next = pair(text(keys.nextCertificate), text(keys.nextPrivateKey));
  const published = Date.parse(text(keys.published) ?? '');
  return { current, ...(next && { next }), ...(next && !Number.isNaN(published) && { published }) };
}

export function authoritySecret(ref: SecretRef, authorities: Authorities): AppliedSecret {
  const { current, next, published } = authorities;
  const texts = {
    [keys.certificate]: current.certificate,
    [keys.privateKey]: current.privateKey,
    [keys.bundle]: bundleOf(authorities),
    ...(next && { [keys.nextCertificate]: next.certificate, [keys.nextPrivateKey]: next.privateKey }),
    ...(published !== undefined && { [keys.published]: new Date(published).toISOString() }),
  };
  const data = Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, Buffer.from(value)]));
  return { ...ref, type: 'kubernetes.io/tls', data };
}

function pair(certificate: string | undefined, privateKey: string | undefined): Authorities['current'] | undefined {
  return certificate === undefined || privateKey === undefined ? undefined : { certificate, privateKey };
}
