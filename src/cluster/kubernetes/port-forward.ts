/** A port of a Pod on this machine, through the API server: the rights of Kubernetes are all it needs. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { PortForward, type KubeConfig } from '@kubernetes/client-node';
import type { Failure } from '../../domain/failure.js';
import type { ObjectRef } from '../cluster.js';
import { connectionFailure, refusalFailure } from './api-failure.js';
import { watchedTypes } from './resources.js';

export interface Tunnel {
  /** on 127.0.0.1 */
  readonly port: number;
  readonly close: () => Promise<void>;
}

/**
 * Opens a port on loopback that leads to a port of a Pod.
 *
 * @param localPort 0: any that is free
 * @throws Failure side `cluster`: `denied` without the right to create pods/portforward, `missing` without such a Pod
 */
export async function forwardPort(config: KubeConfig, pod: ObjectRef, port: number, localPort = 0): Promise<Tunnel> {
  await tryOnce(config, pod, port);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    connect(config, pod, port, socket).catch(() => socket.destroy()); // the Pod has gone: whoever connected sees a closed connection, as without us
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(localPort, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** A right that is missing is told at once, and not by a browser. */
async function tryOnce(config: KubeConfig, pod: ObjectRef, port: number): Promise<void> {
  const nobody = new PassThrough().resume();
  const tunnel = await open(config, pod, port, { output: nobody, input: new PassThrough() });
  tunnel.close();
}

async function connect(config: KubeConfig, pod: ObjectRef, port: number, socket: Socket): Promise<void> {
  const tunnel = await open(config, pod, port, { output: socket, input: socket });
  tunnel.onclose = () => socket.destroySoon();
  socket.on('close', () => tunnel.close());
}

interface WebSocketLike {
  onclose: unknown;
  close(): void;
}

async function open(config: KubeConfig, pod: ObjectRef, port: number, { output, input }: { readonly output: Socket | PassThrough; readonly input: Socket | PassThrough }): Promise<WebSocketLike> {
  const errors = new PassThrough().resume(); // what the kubelet says of a port where nobody listens: the connection closes as well
  try {
    // without retries it answers with the connection itself
    return (await new PortForward(config).portForward(pod.namespace, pod.name, [port], output, errors, input)) as unknown as WebSocketLike;
  } catch (error) {
    throw failureOf(error, pod);
  }
}

function failureOf(error: unknown, { namespace, name }: ObjectRef): Failure {
  const intent = { verb: 'create', type: watchedTypes.Pod, namespace, name, subresource: 'portforward' } as const;
  // the refused upgrade of a WebSocket tells its status in words only
  const { message = '', error: cause } = error as { readonly message?: string; readonly error?: unknown };
  const [, status] = /Unexpected server response: (\d{3})/.exec(message) ?? [];
  return status === undefined ? connectionFailure(intent, cause ?? error) : refusalFailure(intent, { code: Number(status) });
}
