/**
 * JSON of strangers. What a parser makes of 7 MiB of `[` takes 350 MiB, and `{},{},...` is not much better (measured
 * on Node 24), so long texts are looked at before they are parsed: how deep they are, and how many values they have.
 */

/** A text below this can become no more than a few MiB. */
const harmlessLength = 64 * 1024;
/** Manifests are 4 deep; an index inside an annotation is a string. */
const mostDepth = 64;
/** An index of 4,000 images has about 50,000. */
const mostValues = 200_000;

/**
 * Parses JSON that does not grow beyond measure.
 *
 * @throws SyntaxError when it is no JSON, nested deeper than 64, or has more than about 200,000 values
 */
export function parseForeignJson(text: string): unknown {
  if (text.length > harmlessLength && isBomb(text)) throw new SyntaxError('nested too deeply, or too many values');
  return JSON.parse(text);
}

function isBomb(text: string): boolean {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charAt(at)) {
      case '"':
        at = endOfString(text, at);
        break;
      case '[':
      case '{':
        if (++depth > mostDepth || ++values > mostValues) return true;
        break;
      case ',':
        if (++values > mostValues) return true;
        break;
      case ']':
      case '}':
        depth--;
    }
  }
  return false;
}

/** Where the closing quote is: one with an even number of backslashes before it. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    at = text.indexOf('"', at);
    if (at === -1) return text.length;
    let slashes = 0;
    while (text[at - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return at;
  }
}
