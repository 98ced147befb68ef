import process from 'node:process';
import { createInterface } from 'node:readline/promises';

/** Whether somebody says yes. Without a terminal nobody can answer: that is a no. */
export async function agrees(question: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return ['y', 'yes'].includes((await terminal.question(question, { signal })).trim().toLowerCase());
  } finally {
    terminal.close();
  }
}
