/**
 * Sees to it that nothing of us outlives us. A small shell process of its own session reads from a pipe what we
 * start and what has ended; the pipe closes when this process ends, in whichever way (return, uncaught error,
 * Ctrl-C, SIGKILL), and the shell then kills what is left and removes our scratch folder.
 *
 * Not covered: somebody kills the guard as well, or the machine stops.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';

const script = `
trap '' INT TERM HUP
left=
while read -r event pid; do
  case $event in
    started) left="$left $pid" ;;
    ended) keep=; for each in $left; do [ "$each" = "$pid" ] || keep="$keep $each"; done; left=$keep ;;
  esac
done
for each in $left; do kill -9 "$each" 2>/dev/null; done
[ -n "$KUIK_KEEP" ] || rm -rf "$SCRATCH" || { sleep 1; rm -rf "$SCRATCH"; }
`;

interface Guard {
  readonly scratch: string;
  readonly pipe: Writable;
}

let running: Guard | undefined;

/** Tells the guard about a child process. */
export function guard(pid: number): void {
  theGuard().pipe.write(`started ${pid}\n`);
}

/** The child has ended; its number may soon be somebody else's. */
export function unguard(pid: number): void {
  theGuard().pipe.write(`ended ${pid}\n`);
}

/** A new folder that disappears with this process; `KUIK_KEEP=1` keeps it, to read logs afterwards. */
export function scratchFolder(name: string): string {
  return mkdtempSync(join(theGuard().scratch, `${name}-`));
}

function theGuard(): Guard {
  running ??= startGuard();
  return running;
}

function startGuard(): Guard {
  const scratch = mkdtempSync(join(tmpdir(), 'kuik-'));
  const shell = spawn('/bin/sh', ['-c', script, 'kuik-guard'], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: { ...process.env, SCRATCH: scratch } });
  shell.unref();
  shell.stdin.on('error', () => undefined); // the guard was killed: what we start is unguarded, but still stopped by stop()
  (shell.stdin as Writable & { unref?(): void }).unref?.();
  return { scratch, pipe: shell.stdin };
}
