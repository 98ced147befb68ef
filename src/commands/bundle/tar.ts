/**
 * A tar archive of plain files: a header of 512 bytes each, the content, and blanks up to the next 512. No folders,
 * links or long names, which is all that libraries for it add.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, ustar Interchange Format
 */

/** A file of the archive. */
export interface ArchivedFile {
  /** with slashes; ASCII */
  readonly path: string;
  readonly content: string;
}

const block = 512;

/** @param at when they were made, milliseconds since the epoch */
export function tarOf(files: readonly ArchivedFile[], at: number): Buffer {
  const parts = files.flatMap(({ path, content }) => {
    const bytes = Buffer.from(content);
    return [header(path, bytes.length, at), bytes, Buffer.alloc(-bytes.length & (block - 1))];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

const longestName = 100;
const longestPrefix = 155;

function header(path: string, size: number, at: number): Buffer {
  const { name, prefix } = split(path);
  const bytes = Buffer.alloc(block);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits - 1, '0')}\0`;
  bytes.write(name, 0);
  bytes.write(octal(0o644, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12) + octal(Math.floor(at / 1000), 12), 100);
  bytes.write(' '.repeat(8), 148); // counts as blanks while it is computed
  bytes.write('0ustar\x0000', 156, 'latin1');
  bytes.copyWithin(257, 157, 165);
  bytes.fill(0, 157, 257);
  bytes.write(prefix, 345);
  bytes.write(`${bytes.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}

/** The front of a long path stands in a field of its own. */
function split(path: string): { readonly name: string; readonly prefix: string } {
  if (path.length <= longestName) return { name: path, prefix: '' };
  const slash = path.indexOf('/', path.length - longestName - 1);
  if (slash === -1 || slash > longestPrefix) throw new RangeError(`path too long for an archive: ${path}`);
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}
