/** Reads a file; undefined when it is not there or cannot be read. */
export type ReadFile = (path: string) => string | undefined;

/** Reads the files a configuration names, and remembers which were missing. */
export class FileReader {
  readonly problems: string[] = [];

  constructor(private readonly readFile: ReadFile) {}

  /** @returns undefined when no path is given, and when the file is missing: that is noted */
  read(path: string | undefined, key: string): string | undefined {
    if (!path) return undefined;
    const content = this.readFile(path);
    if (content === undefined) this.problems.push(`${key}: the file ${path} is missing or unreadable`);
    return content;
  }
}
