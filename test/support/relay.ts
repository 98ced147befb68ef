import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** A TCP relay before a server of a test: the bad line between it and us. */
export interface Relay {
  /** `127.0.0.1:PORT`: use it instead of the server's own */
  readonly address: string;
  /** bytes that came back from the server so far */
  readonly received: () => number;
  /** bytes that went to the server so far */
  readonly sent: () => number;
  /** ends the connection that carries the byte after so many more, on their way to the server or back from it */
  cutAfter(bytes: number, way: Way): void;
  /** from now on answers pass at this pace; undefined is full speed */
  limit(bytesPerSecond: number | undefined): void;
  /** from now on answers come so much later, at the pace they had; 0 is at once */
  delay(ms: number): void;
  /** accepts connections and answers nothing */
  blackhole(on: boolean): void;
  /** ends every connection, and each that comes, until it is mended */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export type Way = 'to' | 'from';

interface State {
  received: number;
  sent: number;
  bytesPerSecond: number | undefined;
  delayMs: number;
  isBlackhole: boolean;
  isCut: boolean;
  /** count at which the next cut happens */
  readonly cuts: Record<Way, number>;
}

export async function startRelay(to: string): Promise<Relay> {
  const [host = '', port = ''] = to.split(':');
  const sockets = new Set<Socket>();
  const state: State = { received: 0, sent: 0, bytesPerSecond: undefined, delayMs: 0, isBlackhole: false, isCut: false, cuts: { to: Infinity, from: Infinity } };

  const server = createServer((client) => {
    watch(client, sockets);
    if (state.isCut) return void client.destroy();
    if (state.isBlackhole) return; // accepted, and nothing ever comes
    const upstream = createConnection({ host, port: Number(port) });
    watch(upstream, sockets);
    client.once('close', () => upstream.destroy()).pipe(counter(state, client)).pipe(upstream);
    upstream.once('close', () => client.destroy()).pipe(pacer(state, client)).pipe(latecomer(state)).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => state.received,
    sent: () => state.sent,
    cutAfter: (bytes, way) => void (state.cuts[way] = bytes + (way === 'to' ? state.sent : state.received)),
    limit: (bytesPerSecond) => void (state.bytesPerSecond = bytesPerSecond),
    delay: (ms) => void (state.delayMs = ms),
    blackhole: (on) => void (state.isBlackhole = on),
    cut: () => {
      state.isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend: () => void (state.isCut = false),
    close: () => closeAll(server, sockets),
  };
}

function watch(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
}

function counter(state: State, client: Socket): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      state.sent += chunk.length;
      if (isCut(state, 'to')) client.destroy();
      else done(null, chunk);
    },
  });
}

/** Every cut happens once. */
function isCut(state: State, way: Way): boolean {
  if ((way === 'to' ? state.sent : state.received) <= state.cuts[way]) return false;
  state.cuts[way] = Infinity;
  return true;
}

function pacer(state: State, client: Socket): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      state.received += chunk.length;
      if (isCut(state, 'from')) return void client.destroy();
      const waitMs = state.bytesPerSecond === undefined ? 0 : (chunk.length / state.bytesPerSecond) * 1000;
      void (waitMs < 1 ? Promise.resolve() : sleep(waitMs)).then(() => done(null, chunk));
    },
  });
}

/** What comes together arrives together, however late: a long way, not a narrow one. */
function latecomer(state: State): Transform {
  let last = Promise.resolve();
  let waiting = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (state.delayMs === 0 && waiting === 0) return done(null, chunk);
      waiting += 1;
      const late = sleep(state.delayMs, undefined, { ref: false });
      last = Promise.all([last, late]).then(() => {
        waiting -= 1;
        this.push(chunk);
      });
      done();
    },
    flush(done) {
      void last.then(() => done());
    },
  });
}

function closeAll(server: Server, sockets: Set<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
