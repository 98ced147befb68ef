import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface AskOptions {
  readonly token?: string;
  /** PEM file that the server's certificate must come from */
  readonly caFile?: string;
  /** a second unless told */
  readonly timeoutMs?: number;
}

/** One GET on a connection of its own. */
export function ask(url: string, { token, caFile, timeoutMs = 1000 }: AskOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const options = { agent: false, headers, signal: AbortSignal.timeout(timeoutMs), ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }) };
    const request = (url.startsWith('https:') ? https : http).get(url, options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body })).on('error', reject);
    });
    request.on('error', reject);
  });
}

/** Whether the answer is 200. */
export async function isOk(url: string, options?: AskOptions): Promise<boolean> {
  return (await ask(url, options)).status === 200;
}

/** Whether somebody accepts connections there. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
