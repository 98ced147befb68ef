import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { ProgramName } from './programs.js';
import { toolPath } from './toolchain.js';

export interface ToolOutput {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** standard input */
  readonly input?: string | Uint8Array;
  /** added to our own environment */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** SIGKILL after it, a minute unless told */
  readonly timeoutMs?: number;
}

/** Runs one of the programs to its end, whatever the status: `runTool('kubectl', ['apply', '-f', '-'], { input })`. */
export async function runTool(name: ProgramName, args: readonly string[], options: RunOptions = {}): Promise<ToolOutput> {
  const child = spawn(await toolPath(name), args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  child.stdin.on('error', () => undefined); // it may end without reading all of it
  child.stdin.end(options.input);
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

/**
 * The same, for when it has to work.
 *
 * @returns standard output without the last line end
 * @throws Error with what the program complained about
 */
export async function toolOutput(name: ProgramName, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await runTool(name, args, options);
  if (code !== 0) throw new Error(`${name} ${args.join(' ')}: ${code === null ? 'killed' : `status ${code}`}: ${stderr.trim() || stdout.trim()}`);
  return stdout.trimEnd();
}
