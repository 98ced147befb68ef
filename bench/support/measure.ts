/**
 * What one run of a contender costs. Wall time is taken around the run, start of its processes included.
 * CPU is what the system adds to us for children that have ended, theirs included; servers that live through the run are not
 * in it. Memory is the highest peak of any one process, read from Linux every few milliseconds; elsewhere it is unknown.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

export interface Usage {
  /** milliseconds, from before the first process to after the last */
  readonly wallMs: number;
  /** user and system time of all processes of the run, milliseconds; steps of 10 ms */
  readonly cpuMs: number | undefined;
  /** highest peak of resident memory of any one process, bytes */
  readonly peakBytes: number | undefined;
}

/** Starts the processes of one run. */
export interface Launcher {
  /** Runs a program to its end. @throws Error with what it printed when it fails */
  run(command: string, args: readonly string[], options?: { readonly input?: string; readonly env?: NodeJS.ProcessEnv }): Promise<string>;
}

/** Measures what `run` starts. */
export async function measure(run: (launcher: Launcher) => Promise<void>): Promise<Usage> {
  let peak: number | undefined;
  const launcher: Launcher = {
    run: (command, args, options = {}) => runChild(command, args, options, (bytes) => (peak = Math.max(peak ?? 0, bytes))),
  };

  const cpuBefore = childrenCpuMs();
  const start = performance.now();
  await run(launcher);
  const wallMs = performance.now() - start;
  const cpuAfter = childrenCpuMs();

  return { wallMs, cpuMs: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore, peakBytes: peak };
}

const pollMs = 20;

async function runChild(command: string, args: readonly string[], options: { readonly input?: string; readonly env?: NodeJS.ProcessEnv }, onPeak: (bytes: number) => void): Promise<string> {
  const child = spawn(command, args, { env: { ...process.env, ...options.env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const look = (): void => {
    for (const pid of family(child.pid)) {
      const bytes = peakBytes(pid);
      if (bytes !== undefined) onPeak(bytes);
    }
  };
  const poll = setInterval(look, pollMs);
  child.stdin.on('error', () => undefined); // it may end without reading
  child.stdin.end(options.input);
  try {
    const [out, complaint, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    if (code !== 0) throw new Error(`${command} ${args.join(' ')}: status ${String(code)}: ${(complaint || out).trim().slice(-2000)}`);
    return out;
  } finally {
    clearInterval(poll);
  }
}

/** The process and its children: a launcher may start the program it stands for. */
function family(pid: number | undefined): readonly number[] {
  if (pid === undefined) return [];
  const children = read(`/proc/${pid}/task/${pid}/children`)?.trim();
  return [pid, ...(children ? children.split(' ').map(Number) : [])];
}

/** @see proc_pid_status(5), VmHWM: peak resident set size */
function peakBytes(pid: number): number | undefined {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

const ticksPerSecond = 100; // USER_HZ of every Linux that Node runs on

/** User and system time of our ended children. @see proc_pid_stat(5), fields 16 and 17 */
function childrenCpuMs(): number | undefined {
  const stat = read('/proc/self/stat');
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before may hold blanks; field 3 comes first here
  return ((Number(fields[13]) + Number(fields[14])) * 1000) / ticksPerSecond;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
