import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';

/** A network between us and a server, that can be cut, and frozen as dropped packets freeze it. */
export class Line {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => this.#connect(client));
  readonly #port: number;
  #state: 'open' | 'cut' = 'open';

  constructor(port: number) {
    this.#port = port;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection, and refuses new ones until `open`. */
  cut(): void {
    this.#state = 'cut';
    for (const socket of this.#sockets) socket.destroy();
  }

  open(): void {
    this.#state = 'open';
  }

  /** Connections of now stay open and carry nothing any more; new ones work. */
  freeze(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #connect(client: Socket): void {
    if (this.#state === 'cut') return void client.destroy();
    const upstream = createConnection({ host: '127.0.0.1', port: this.#port });
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
    }
    client.once('close', () => upstream.destroy()).pipe(upstream);
    upstream.once('close', () => client.destroy()).pipe(client);
  }
}
