/**
 * Stands for the Service of the webhook, because nothing here routes addresses of Services: a TCP balancer that hands
 * new connections round robin to the replicas whose `/readyz` says yes. Like a Service it knows nothing of what it
 * carries, repeats nothing, and leaves a connection with its replica until one side ends it.
 *
 * In one way it is kinder than kube-proxy: a replica that refuses the connection is passed over for the next one, where
 * kube-proxy goes on choosing it until the kubelet has noticed that it is dead.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

export interface Replica {
  readonly port: number;
  /** what it says itself; rejects when it says nothing */
  isReady(): Promise<boolean>;
}

export interface Balancer {
  /** connections that ended while their replica owed an answer: nobody can give it any more */
  readonly cut: number;
  /** connections carried so far */
  readonly carried: number;
  close(): Promise<void>;
}

const lookMs = 100;
/** A replica that is busy may be late with its answer once or twice, as for a kubelet. */
const mostSilences = 3;

export async function startBalancer(replicas: readonly Replica[], port: number): Promise<Balancer> {
  const seen = { cut: 0, carried: 0, turn: 0 };
  const silences = new Map<Replica, number>(replicas.map((replica) => [replica, 0]));
  const open = new Set<Socket>();
  const look = setInterval(() => {
    for (const replica of replicas) {
      const silence = (silences.get(replica) ?? 0) + 1;
      void replica.isReady().then((isReady) => silences.set(replica, isReady ? 0 : mostSilences), () => silences.set(replica, silence));
    }
  }, lookMs);

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    watch(client, open);
    client.pause();
    const turn = seen.turn++;
    void connectToOne(inTurn(replicas.filter((replica) => (silences.get(replica) ?? 0) < mostSilences), turn)).then((upstream) => {
      if (upstream === undefined) return void client.destroy();
      seen.carried++;
      watch(upstream, open);
      carry(client, upstream, () => void seen.cut++);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));

  return {
    get cut() {
      return seen.cut;
    },
    get carried() {
      return seen.carried;
    },
    close: () => {
      clearInterval(look);
      return closeAll(server, open);
    },
  };
}

function inTurn<T>(items: readonly T[], turn: number): readonly T[] {
  const at = items.length === 0 ? 0 : turn % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

async function connectToOne(replicas: readonly Replica[]): Promise<Socket | undefined> {
  for (const { port } of replicas) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      socket.destroy();
    }
  }
  return undefined;
}

/** The close_notify of TLS 1.3: a header of five bytes, and two of an alert under encryption. Every request is longer. */
const goodbyeBytes = 24;

/** @param onCut called once if the replica ends the connection while it owes an answer */
function carry(client: Socket, upstream: Socket, onCut: () => void): void {
  let owes = false;
  let hasEnded = false;
  client.on('data', (chunk: Buffer) => {
    const isQuestion = chunk.length > goodbyeBytes;
    if (hasEnded && !owes && isQuestion) onCut(); // asked a moment too late
    owes ||= isQuestion;
    if (hasEnded) client.destroy();
    else upstream.write(chunk);
  });
  upstream.on('data', (chunk: Buffer) => {
    owes = false;
    client.write(chunk);
  });
  const end = (): void => {
    if (hasEnded) return;
    hasEnded = true;
    if (owes) onCut();
    client.end();
    upstream.destroy();
  };
  upstream.once('end', end).once('close', end);
  client.resume().once('end', () => upstream.end()).once('close', () => upstream.destroy());
}

function watch(socket: Socket, open: Set<Socket>): void {
  open.add(socket);
  socket.on('error', () => undefined).once('close', () => open.delete(socket));
}

function closeAll(server: Server, open: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of open) socket.destroy();
  });
}
