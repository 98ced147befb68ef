/**
 * Stands where a kubelet would: the API server passes port-forwards on to it. Pods are pretended, and the ports behind
 * them are real servers of the test.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go
 */
import { createServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Stage } from '../../tools/demo/stage.js';
import { aCertificate, anAuthority } from './tls-front.js';

export interface Kubelet {
  /** connections that were passed on, as `namespace/pod:port` */
  readonly forwarded: readonly string[];
  close(): Promise<void>;
}

const protocol = 'v4.channel.k8s.io';

/**
 * @param behind `namespace/pod:port` to the port on loopback that is behind it
 * @param logs `namespace/pod/container` to what it has written
 */
export async function startKubelet(stage: Pick<Stage, 'apply' | 'kubectl'>, behind: Readonly<Record<string, number>>, logs: Readonly<Record<string, string>> = {}): Promise<Kubelet> {
  const pair = await aCertificate(await anAuthority(), { ips: ['127.0.0.1'] });
  const server = createServer({ cert: pair.certificate, key: pair.privateKey }, ({ url = '' }, answer) => {
    const { pathname } = new URL(url, 'https://kubelet');
    const log = pathname.startsWith('/containerLogs/') ? logs[pathname.slice('/containerLogs/'.length)] : undefined;
    answer.writeHead(log === undefined ? 404 : 200, { 'content-type': 'text/plain' }).end(log);
  });
  const sockets = new WebSocketServer({ server, handleProtocols: (offered) => offered.has(protocol) && protocol });
  const forwarded: string[] = [];
  sockets.on('connection', (socket, { url = '' }) => {
    const { pathname, searchParams } = new URL(url, 'https://kubelet');
    const [, , namespace, pod] = pathname.split('/');
    const port = Number(searchParams.get('port') ?? searchParams.get('ports'));
    const to = behind[`${namespace}/${pod}:${port}`];
    forwarded.push(`${namespace}/${pod}:${port}`);
    if (to === undefined) return socket.close();
    join(socket, port, to);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await registerNode(stage, (server.address() as AddressInfo).port);
  return {
    forwarded,
    close: () =>
      new Promise((resolve) => {
        sockets.close();
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Channel 0 carries data, channel 1 errors; each begins with the number of the port. */
function join(socket: WebSocket, port: number, to: number): void {
  for (const channel of [0, 1]) socket.send(Buffer.from([channel, port & 0xff, port >> 8]));
  const inner = connect(to, '127.0.0.1');
  inner.on('data', (data) => socket.send(Buffer.concat([Buffer.from([0]), data])));
  inner.on('error', () => socket.close());
  inner.on('close', () => socket.close());
  socket.on('message', (data) => void (data[0] === 0 && inner.write(data.subarray(1))));
  socket.on('close', () => inner.destroy());
}

async function registerNode(stage: Pick<Stage, 'apply' | 'kubectl'>, port: number): Promise<void> {
  await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'here' } }));
  const status = { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } } };
  await stage.kubectl('patch', 'node', 'here', '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }));
}

/** A Pod that runs and is ready, as far as the API server knows. @param ports name to number */
export async function pretendPod(stage: Pick<Stage, 'apply' | 'kubectl'>, { namespace, name, component, ports }: { readonly namespace: string; readonly name: string; readonly component: string; readonly ports: Readonly<Record<string, number>> }): Promise<void> {
  const containers = [{ name: component, image: 'kuik.invalid/none:1', imagePullPolicy: 'Never', ports: Object.entries(ports).map(([port, containerPort]) => ({ name: port, containerPort })) }];
  await stage.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels: { 'app.kubernetes.io/name': 'kube-image-keeper', 'app.kubernetes.io/component': component } }, spec: { nodeName: 'here', containers } }));
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  await stage.kubectl('patch', 'pod', name, '-n', namespace, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }));
}
