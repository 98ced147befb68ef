import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The file in which this user's tools keep the credentials of registries. */
export interface DockerConfigFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the user's docker configuration: the first of these that exists.
 *
 * 1. `$DOCKER_CONFIG/config.json`, or `~/.docker/config.json` where the variable is not set
 * 2. `$REGISTRY_AUTH_FILE`
 * 3. `$XDG_RUNTIME_DIR/containers/auth.json`
 *
 * @returns undefined when there is none: everything is anonymous
 * @throws Error naming the file when it is there and cannot be read
 * @see https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md for the second and third
 */
export function readDockerConfig(environment: Environment = process.env): DockerConfigFile | undefined {
  for (const file of filesOf(environment)) {
    const bytes = readIfThere(file);
    if (bytes !== undefined) return { file, bytes };
  }
  return undefined;
}

function filesOf({ DOCKER_CONFIG, HOME, REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR }: Environment): readonly string[] {
  const docker = DOCKER_CONFIG || (HOME && join(HOME, '.docker'));
  return [docker && join(docker, 'config.json'), REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR && join(XDG_RUNTIME_DIR, 'containers', 'auth.json')].filter((file) => !!file).map(String);
}

function readIfThere(file: string): Uint8Array | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new Error(`${file}: ${message}`, { cause: error }); // that of a folder names none
  }
}
