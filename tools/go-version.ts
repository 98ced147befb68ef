import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface GoVersion {
  readonly major: number;
  readonly minor: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The Temporal modules ask for it. */
const oldest: GoVersion = { major: 1, minor: 26 };

const known = new Map<string | undefined, Promise<GoVersion>>();

/**
 * Version of the Go on the PATH. Go's own habit of fetching a newer toolchain is turned off: we want to know what is here.
 *
 * @throws Error saying where to get Go when there is none, or when it is too old
 */
export function goVersion(environment: Environment): Promise<GoVersion> {
  const version = known.get(environment['PATH']) ?? askGo(environment);
  known.set(environment['PATH'], version);
  return version;
}

async function askGo(environment: Environment): Promise<GoVersion> {
  const said = await promisify(execFile)('go', ['env', 'GOVERSION'], { timeout: 10_000, env: { ...environment, GOTOOLCHAIN: 'local' } }).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
  return checkGoVersion(said);
}

/** @param said what `go env GOVERSION` printed, `go1.26.8`; undefined when there is no Go */
export function checkGoVersion(said: string | undefined): GoVersion {
  const wanted = `Go ${oldest.major}.${oldest.minor} or newer builds the servers that demo and tests start: install it from https://go.dev/dl/ and put its bin folder on the PATH`;
  if (said === undefined) throw new Error(`there is no Go. ${wanted}`);
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(said)?.map(Number) ?? [];
  if (major === undefined || minor === undefined) throw new Error(`cannot read the version of Go from "${said.trim()}". ${wanted}`);
  if (major < oldest.major || (major === oldest.major && minor < oldest.minor)) throw new Error(`Go ${major}.${minor} is too old. ${wanted}`);
  return { major, minor };
}
