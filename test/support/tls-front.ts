/** TLS before a scripted registry: certificates of our own making, and a count of who came through. */
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer, type SecureVersion, type TLSSocket } from 'node:tls';
import { issueLeaf, makeAuthority, type KeyPair, type ServerNames } from '../../src/webhook/x509.js';

export const day = 86_400_000;

export interface TlsFrontOptions {
  readonly pair: KeyPair;
  /** `host:port` that gets the plain bytes */
  readonly to: string;
  /** lets in only who shows this certificate; PEM */
  readonly clientCertificate?: string;
  readonly maxVersion?: SecureVersion;
}

export interface TlsFront {
  readonly port: number;
  /** handshakes that were finished, resumed ones included */
  readonly handshakes: number;
  /** bytes that arrived inside TLS: a client that refuses the certificate sends none */
  readonly received: number;
  /** handshakes that took a session up again */
  readonly resumed: number;
  /** ends all connections */
  drop(): void;
  close(): Promise<void>;
}

export async function startTlsFront({ pair, to, clientCertificate, maxVersion }: TlsFrontOptions): Promise<TlsFront> {
  const seen = { handshakes: 0, received: 0, resumed: 0 };
  const open = new Set<Socket>();
  const server = createServer({ cert: pair.certificate, key: pair.privateKey, requestCert: clientCertificate !== undefined, rejectUnauthorized: false, maxVersion }, (socket) => {
    seen.handshakes++;
    if (socket.isSessionReused()) seen.resumed++;
    socket.on('error', () => undefined);
    if (clientCertificate !== undefined && shown(socket) !== strip(clientCertificate)) return void socket.destroy();
    const [host, port] = to.split(':');
    const inner = connect(Number(port), host);
    inner.on('error', () => socket.destroy());
    open.add(inner);
    socket.on('data', (bytes: Buffer) => void (seen.received += bytes.length));
    socket.pipe(inner).pipe(socket);
    socket.on('close', () => inner.destroy());
  });
  server.on('tlsClientError', () => undefined);
  server.on('connection', (socket: Socket) => open.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get handshakes() {
      return seen.handshakes;
    },
    get received() {
      return seen.received;
    },
    get resumed() {
      return seen.resumed;
    },
    drop: () => open.forEach((socket) => socket.destroy()),
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** A server's certificate that is good from a moment on, for so long; now and a year unless told. */
export async function aCertificate(authority: KeyPair, names: Partial<ServerNames>, from = Date.now(), lifetimeMs = 365 * day): Promise<KeyPair> {
  return issueLeaf(authority, { dns: [], ips: [], ...names }, from, lifetimeMs);
}

export async function anAuthority(name = 'test authority'): Promise<KeyPair> {
  return makeAuthority(name, Date.now() - 3650 * day, 7300 * day);
}

function shown(socket: TLSSocket): string {
  return socket.getPeerCertificate().raw?.toString('base64') ?? '';
}

/** PEM -> base64 of its bytes */
function strip(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, '');
}
