/** A forward proxy as people run them: CONNECT tunnels, absolute requests, and a log of both. */
import { createServer, request, type IncomingHttpHeaders } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

export interface ForwardProxyOptions {
  /** where a `host:port` really is; answers 502 for undefined */
  readonly route: (target: string) => string | undefined;
  /** `user:password` that it wants */
  readonly account?: string;
}

export interface ForwardProxy {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** `CONNECT registry.test:443`, `GET http://registry.test/v2/...` */
  readonly log: string[];
  readonly headers: IncomingHttpHeaders[];
  close(): Promise<void>;
}

export async function startForwardProxy({ route, account }: ForwardProxyOptions): Promise<ForwardProxy> {
  const log: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const open = new Set<Socket>();
  const knows = (given: IncomingHttpHeaders): boolean => account === undefined || given['proxy-authorization'] === `Basic ${Buffer.from(account).toString('base64')}`;

  const server = createServer((message, response) => {
    log.push(`${message.method} ${message.url}`);
    headers.push(message.headers);
    const url = new URL(message.url ?? '');
    const to = route(url.host);
    if (!knows(message.headers) || to === undefined) return void response.writeHead(to === undefined ? 502 : 407).end();
    const rest = Object.fromEntries(Object.entries(message.headers).filter(([name]) => !name.startsWith('proxy-')));
    const [hostname, port] = to.split(':');
    message.pipe(
      request({ hostname, port, method: message.method, path: url.pathname + url.search, headers: rest }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  server.on('connection', (socket) => open.add(socket));
  server.on('connect', (message, socket: Socket) => {
    log.push(`CONNECT ${message.url}`);
    headers.push(message.headers);
    const to = route(message.url ?? '');
    socket.on('error', () => undefined);
    if (!knows(message.headers)) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
    if (to === undefined) return void socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
    const [hostname, port] = to.split(':');
    const inner = connect(Number(port), hostname, () => socket.write('HTTP/1.1 200 Connection established\r\n\r\n'));
    inner.on('error', () => socket.destroy());
    open.add(inner);
    socket.pipe(inner).pipe(socket);
    socket.on('close', () => inner.destroy());
  });

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    headers,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
