/** What the scripted kubelet needs of `ws`, which comes with the Kubernetes client, without types. */
declare module 'ws' {
  import type { Server } from 'node:https';
  export interface WebSocket {
    on(event: 'message', listener: (data: Buffer) => void): void;
    on(event: 'close', listener: () => void): void;
    send(data: Buffer): void;
    close(): void;
  }
  export class WebSocketServer {
    constructor(options: { server: Server; handleProtocols: (offered: Set<string>) => string | false });
    on(event: 'connection', listener: (socket: WebSocket, request: { url?: string }) => void): void;
    close(): void;
  }
}
