import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { guard, unguard } from './guard.js';

/** A process we started and that is serving. */
export interface Server {
  readonly name: string;
  readonly pid: number;
  /** what it printed, standard output and errors together */
  readonly logFile: string;
  /** settles when the process is gone, for whatever reason; never rejects */
  readonly exited: Promise<Exit>;
  /** SIGTERM, and SIGKILL for what has not ended ten seconds later (see `graceMs`). Fine to call on one that ended. */
  stop(): Promise<void>;
  /** SIGKILL: the bad day. */
  kill(): Promise<void>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Launch {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** added to our own environment */
  readonly env?: Readonly<Record<string, string>>;
  /** appended to */
  readonly logFile: string;
  /** asked every 50 ms until it says yes; errors count as no */
  readonly ready: () => Promise<boolean>;
  /** how long it may take until it serves, 60 seconds unless told */
  readonly timeoutMs?: number;
  /** how long it may take to end after SIGTERM, 10 seconds unless told */
  readonly graceMs?: number;
}

/** Most servers are written in Go and live for minutes: a sixth of all their work is saved for some memory. */
const lessGarbageCollection = { GOGC: '400' };

/**
 * Starts a process and waits until it serves. It runs in a session of its own, so Ctrl-C reaches only us and the
 * order in which things stop is ours; the guard ends it should we die first.
 *
 * @throws Error with the end of the log when it ends, or does not serve in time
 */
export async function launch(spec: Launch): Promise<Server> {
  const log = openSync(spec.logFile, 'a');
  const child = spawn(spec.command, spec.args, { detached: true, stdio: ['ignore', log, log], env: { ...lessGarbageCollection, ...process.env, ...spec.env } });
  closeSync(log);
  const exited = exitOf(child);
  const pid = await pidOf(child, spec);
  guard(pid);
  void exited.then(() => unguard(pid));

  const { name, logFile, graceMs = 10_000 } = spec;
  const server: Server = { name, pid, logFile, exited, stop: () => end(child, exited, graceMs), kill: () => end(child, exited, 0) };
  await untilReady(server, child, spec);
  return server;
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

function pidOf(child: ChildProcess, { name, command }: Launch): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (cause) => reject(new Error(`${name} cannot be started: ${command}: ${cause.message}`, { cause })));
  });
}

async function untilReady(server: Server, child: ChildProcess, spec: Launch): Promise<void> {
  const timeoutMs = spec.timeoutMs ?? 60_000;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const serves = await spec.ready().catch(() => false);
    // asked after the health check: an answer from a port counts only while our process lives
    if (hasEnded(child)) throw new Error(`${spec.name} ended (${describe(await server.exited)}) before it was serving; ${logTail(spec.logFile)}`);
    if (serves) return;
    if (performance.now() > deadline) {
      await server.kill();
      throw new Error(`${spec.name} was not serving after ${timeoutMs / 1000} s; ${logTail(spec.logFile)}`);
    }
    await sleep(50);
  }
}

async function end(child: ChildProcess, exited: Promise<Exit>, grace: number): Promise<void> {
  if (hasEnded(child)) return;
  child.kill(grace > 0 ? 'SIGTERM' : 'SIGKILL');
  const impatience = setTimeout(() => child.kill('SIGKILL'), grace);
  await exited;
  clearTimeout(impatience);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

export function describe({ code, signal }: Exit): string {
  return signal === null ? `status ${code}` : signal;
}

/** The last lines of a log, for an error message. */
export function logTail(file: string, count = 15): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count);
  return `end of ${file}:\n${lines.map((line) => `    ${line}`).join('\n')}`;
}
