import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../../tools/servers.js';
import { issueLeaf, makeAuthority } from '../../src/webhook/x509.js';

/** Files of a server certificate for 127.0.0.1, and of the authority that signed it. */
export interface TlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

const day = 24 * 60 * 60 * 1000;

/** Makes an authority and a certificate signed by it, for this run of the bench only. */
export async function makeTlsFiles(): Promise<TlsFiles> {
  const dir = scratchFolder('tls');
  const now = Date.now();
  const authority = await makeAuthority('kuik bench', now, day);
  const leaf = await issueLeaf(authority, { dns: ['localhost'], ips: ['127.0.0.1'] }, now, day);
  const write = (name: string, pem: string): string => {
    const file = join(dir, name);
    writeFileSync(file, pem, { mode: 0o600 });
    return file;
  };
  // the whole chain, which is also what the health check of the server trusts
  return { certificateFile: write('server.pem', `${leaf.certificate}\n${authority.certificate}`), keyFile: write('server-key.pem', leaf.privateKey), caFile: write('ca.pem', authority.certificate) };
}
