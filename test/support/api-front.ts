import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ApiServer } from '../../tools/servers.js';

/** A list of Pods on its way back, as the API server sent it. */
export interface ListAnswer {
  /** 1 for the first page */
  readonly page: number;
  readonly status: number;
  readonly body: string;
}

/** What arrives instead: another answer, its first half, or nothing at all. */
export type Spoilt = Pick<ListAnswer, 'status' | 'body'> | 'cut' | 'silence';

/** A reverse proxy before a real API server, as some clusters have one, that can spoil lists of Pods. */
export interface ApiFront {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** queries of the lists of Pods that were asked for */
  readonly lists: readonly URLSearchParams[];
  /** what becomes of the lists from now on; undefined leaves them whole */
  spoil(how: ((answer: ListAnswer) => Spoilt) | undefined): void;
  close(): Promise<void>;
}

export async function startApiFront({ url, caFile }: Pick<ApiServer, 'url' | 'caFile'>): Promise<ApiFront> {
  const [behind, ca] = [new URL(url), readFileSync(caFile)];
  const lists: URLSearchParams[] = [];
  const pages = new Map<string, number>();
  let spoil: ((answer: ListAnswer) => Spoilt) | undefined;

  const server = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    const isList = request.method === 'GET' && pathname === '/api/v1/pods' && !searchParams.has('watch');
    if (isList) lists.push(searchParams);
    const options = { host: behind.hostname, port: behind.port, path: request.url, method: request.method, headers: request.headers, ca };
    const onward = https.request(options, (answer) => {
      if (isList) return void answerList(answer, pages.get(searchParams.get('continue') ?? '') ?? 1, response);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders(); // a watch may have nothing to say for a minute, and begins all the same
      answer.pipe(response);
    });
    // whoever hangs up on one side hangs up on the other
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });

  const answerList = async (answer: http.IncomingMessage, page: number, response: http.ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
    const whole: ListAnswer = { page, status: answer.statusCode ?? 502, body: Buffer.concat(chunks).toString() };
    const ticket = (JSON.parse(whole.body) as { metadata?: { continue?: string } }).metadata?.continue;
    if (ticket !== undefined) pages.set(ticket, page + 1);
    deliver(spoil?.(whole) ?? whole, whole, response);
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lists,
    spoil: (how) => void (spoil = how),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function deliver(spoilt: Spoilt, whole: ListAnswer, response: http.ServerResponse): void {
  if (spoilt === 'silence') return;
  const { status, body } = spoilt === 'cut' ? whole : spoilt;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  if (spoilt !== 'cut') return void response.end(body);
  response.write(body.slice(0, body.length / 2), () => response.destroy());
}
