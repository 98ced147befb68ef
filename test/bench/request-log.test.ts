import { describe, expect, test } from '@jest/globals';
import { RequestReader, type RequestSeen } from '../../bench/support/request-log.js';

const post = 'POST /v2/app/blobs/uploads/ HTTP/1.1\r\nHost: far\r\nContent-Length: 0\r\n\r\n';
const put = 'PUT /v2/app/blobs/uploads/1?digest=x HTTP/1.1\r\nHost: far\r\nContent-Length: 8\r\n\r\n';

function seenIn(chunks: readonly string[]): readonly RequestSeen[] {
  const log: RequestSeen[] = [];
  const reader = new RequestReader(log);
  for (const chunk of chunks) reader.read(Buffer.from(chunk, 'latin1'));
  return log;
}

describe('requests in what a client sends', () => {
  const postSeen = { method: 'POST', path: '/v2/app/blobs/uploads/', bodyBytes: 0 };
  const putSeen = { method: 'PUT', path: '/v2/app/blobs/uploads/1?digest=x', bodyBytes: 8 };

  test.each([
    ['one without a body', [post], [postSeen]],
    ['one after the other', [post, `${put}01234567`], [postSeen, putSeen]],
    ['a body that comes in pieces', [put, '0123', '4567'], [putSeen]],
    ['a body that begins with the head', [`${put}01`, '234567'], [putSeen]],
    ['a head in two pieces', [put.slice(0, 60), `${put.slice(60)}01234567`], [putSeen]],
    ['a head whose end is torn', [put.slice(0, -2), `${put.slice(-2)}01234567`], [putSeen]],
    ['a head whose end is torn into single bytes', [put.slice(0, -3), ...put.slice(-3), '01234567'], [putSeen]],
    ['a body that speaks of requests', [`${put}x`, 'x GET / '.slice(1)], [putSeen]],
    ['bytes before any request, as over TLS', ['\x16\x03\x01\x02', 'noise'], []],
  ])('%s', (_sentence, chunks, requests) => {
    expect(seenIn(chunks)).toEqual(requests);
  });
});
