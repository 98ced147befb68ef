/** Reads a file; undefined when it is not there or cannot be read. */
export type ReadFile = (path: string) => string | undefined;

/** A file that is missing or cannot be read, and the key that names it. */
export interface AbsentFile {
  readonly key: string;
  readonly path: string;
}

/** Reads the files a configuration names, and remembers which were missing. */
export class FileReader {
  readonly absent: AbsentFile[] = [];

  constructor(private readonly readFile: ReadFile) {}

  get problems(): readonly string[] {
    return this.absent.map(({ key, path }) => `${key}: the file ${path} is missing or unreadable`);
  }

  /** @returns undefined when no path is given, and when the file is missing: that is noted */
  read(path: string | undefined, key: string): string | undefined {
    if (!path) return undefined;
    const content = this.readFile(path);
    if (content === undefined) this.absent.push({ key, path });
    return content;
  }
}
