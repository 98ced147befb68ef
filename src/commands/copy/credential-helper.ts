import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import * as z from 'zod';

/** What a helper answers. @see https://github.com/docker/docker-credential-helpers */
const Answer = z.object({ Username: z.string(), Secret: z.string() });

export interface HelperAnswer {
  readonly username: string;
  readonly secret: string;
}

const helperName = /^[A-Za-z0-9._-]+$/; // it becomes part of a program's name
const slowestMs = 30_000; // some ask a person

/**
 * Asks `docker-credential-<helper>` for the credentials of a host.
 *
 * @returns undefined when it knows none
 * @throws Error naming the helper when it cannot be asked
 */
export async function askCredentialHelper(helper: string, host: string): Promise<HelperAnswer | undefined> {
  if (!helperName.test(helper)) throw new Error(`${JSON.stringify(helper)} is no name of a credential helper`);
  const { code, out } = await run(`docker-credential-${helper}`, host);
  if (code !== 0) {
    if (/credentials not found/.test(out)) return undefined; // the words of the protocol, on standard output
    throw new Error(`docker-credential-${helper} failed (status ${code}) for ${host}`); // without what it printed: it deals in secrets
  }
  const answer = Answer.safeParse(parseJson(out));
  if (!answer.success) throw new Error(`docker-credential-${helper} gave an answer for ${host} that is none`);
  return { username: answer.data.Username, secret: answer.data.Secret };
}

async function run(program: string, input: string): Promise<{ readonly code: number | null; readonly out: string }> {
  const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], timeout: slowestMs });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`${program} cannot be started: ${cause.message}`, { cause })));
    child.once('close', resolve);
  });
  child.stdin.on('error', () => undefined); // it may end without reading
  child.stdin.end(input);
  const [out, code] = await Promise.all([text(child.stdout), ended]);
  return { code, out };
}

function parseJson(bytes: string): unknown {
  try {
    return JSON.parse(bytes);
  } catch {
    return undefined;
  }
}
