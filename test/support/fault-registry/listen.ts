/** A server on a free port of the loopback, whose connections are counted. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Listening {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** connections open now */
  readonly open: () => number;
  close(): Promise<void>;
}

export async function listen(handle: (message: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createServer((message, response) => void handle(message, response));
  server.on('connection', (socket) => {
    sockets.add(socket);
    // a client that goes away in the middle is what tests are about
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => sockets.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
