/** Requests read and answers sent, with the damage that was ordered. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Reply } from './ask.js';
import type { Damage } from './faults.js';

export interface Received {
  readonly body: Buffer;
  /** `cut`: the connection ended, by order or because the client went away; `early`: more would still come */
  readonly how: 'whole' | 'cut' | 'early';
}

/** @param most bytes that are read; the answer comes then, early */
export async function receive(message: IncomingMessage, damage: Damage, most: number): Promise<Received> {
  const chunks: Buffer[] = [];
  let length = 0;
  const stop = Math.min(damage.answersAfter ?? Infinity, most + 1);
  if (stop === 0) return { body: Buffer.alloc(0), how: 'early' };
  try {
    for await (const chunk of keepOpen(message)) {
      length += chunk.length;
      chunks.push(chunk);
      if (damage.cutRequestAfter !== undefined && length >= damage.cutRequestAfter) return { body: Buffer.concat(chunks).subarray(0, damage.cutRequestAfter), how: 'cut' };
      if (length >= stop) return { body: Buffer.concat(chunks), how: 'early' };
    }
  } catch {
    return { body: Buffer.concat(chunks), how: 'cut' }; // the client went away
  }
  return { body: Buffer.concat(chunks), how: 'whole' };
}

/** Leaving the loop must not end the connection: an early answer goes out on it. */
function keepOpen(message: IncomingMessage): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => message.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer> };
}

export async function send(response: ServerResponse, method: string, reply: Reply, damage: Damage): Promise<void> {
  const body = damaged(reply.body ?? Buffer.alloc(0), damage);
  const length = damage.flood === undefined ? { 'content-length': body.length } : {};
  const headers: Record<string, string | number | undefined> = { ...length, ...reply.headers, ...damage.headers };
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
  response.writeHead(reply.status);
  if (method === 'HEAD') return void response.end();
  if (damage.flood !== undefined) return pour(response, damage.flood());
  if (damage.drip !== undefined) return drip(response, body, damage.drip);
  if (damage.cutAnswerAfter === undefined) return void response.end(body);
  response.write(body.subarray(0, damage.cutAnswerAfter), () => response.socket?.destroy());
}

function damaged(body: Buffer, { swap, truncate, append, spoil }: Damage): Buffer {
  const copy = Buffer.concat([Buffer.from(swap ?? body).subarray(0, truncate), Buffer.from(append ?? '')]);
  if (spoil === true && copy.length > 0) copy.writeUInt8(copy.readUInt8(copy.length >> 1) ^ 0xff, copy.length >> 1);
  return copy;
}

async function pour(response: ServerResponse, pieces: Iterable<Uint8Array>): Promise<void> {
  for (const piece of pieces) {
    if (response.destroyed) return;
    if (!response.write(piece)) await drained(response);
  }
  response.end();
}

async function drip(response: ServerResponse, body: Buffer, { bytes, everyMs }: NonNullable<Damage['drip']>): Promise<void> {
  for (let at = 0; at < body.length && !response.destroyed; at += bytes) {
    response.write(body.subarray(at, at + bytes));
    await sleep(everyMs, undefined, { ref: false });
  }
  response.end();
}

/** The client reads on, or went away. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}
