import type { FailureCode, FailureInfo } from '../../domain/failure.js';

/** What a person at a terminal does about a failure; a code without a next step does not compile. */
const steps: Readonly<Record<FailureCode, (host: string) => string>> = {
  missing: () => 'check the name and the tag; some registries want the repository created first',
  unauthorized: (host) => `log in with docker login ${host}, and check the name: registries hide what one may not see`,
  denied: (host) => `ask for the right to do this on ${host}, or for more storage`,
  throttled: (host) => `wait, or log in to ${host} with an account of a higher quota`,
  unreachable: (host) => `check that ${host} is reachable from here; if it speaks plain HTTP, add --plain-http ${host}`,
  timeout: (host) => `try again; if it lasts, check the way to ${host}`,
  tls: (host) => `check the certificate of ${host}; a private authority is trusted with --ca-file ${host}=FILE; for plain HTTP, add --plain-http ${host}`,
  corrupt: (host) => `nothing of it was published; try again, and look at ${host} or a proxy before it if it lasts`,
  unsupported: () => 'choose other platforms, or another --strategy',
  conflict: () => 'the tag cannot be replaced; choose another one',
  'too-large': (host) => `raise the limit of ${host}, or of the proxy before it`,
  invalid: () => 'check the reference, or what stands between here and the registry',
};

/** One sentence without a full stop. */
export function nextStep({ code, host }: Pick<FailureInfo, 'code' | 'host'>): string {
  return steps[code](host ?? 'the registry');
}
