import { StringDecoder } from 'node:string_decoder';

/**
 * Cuts a stream of bytes into lines, without ever holding more than one line and one chunk.
 *
 * @param longest characters; a longer line is an error
 * @returns lines without their ends; empty ones are left out, a last line without an end is dropped as half a line
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, longest: number): AsyncGenerator<string, void> {
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  let held = 0;

  for await (const chunk of chunks) {
    const text = decoder.write(chunk);
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      pieces.push(text.slice(start, end));
      start = end + 1;
      const line = pieces.length === 1 ? (pieces[0] ?? '') : pieces.join('');
      pieces = [];
      held = 0;
      if (line !== '') yield line;
    }
    if (start < text.length) pieces.push(text.slice(start));
    held += text.length - start;
    if (held > longest) throw new RangeError(`a line of more than ${longest} characters`);
  }
}
