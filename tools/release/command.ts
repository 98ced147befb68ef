import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a program of the system. @throws Error that names it, and says where to get one that is missing */
export async function system(program: string, args: readonly string[], cwd?: string): Promise<void> {
  try {
    await promisify(execFile)(program, args, { cwd, maxBuffer: 16 << 20 });
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === 'ENOENT') throw new Error(`${program} is missing: \`make image\` needs Debian or Ubuntu with apt-get, dpkg-deb and tar; where a container engine is, \`docker build .\` makes the same image`, { cause: error });
    throw new Error(`${program} ${args.slice(0, 3).join(' ')}: ${stderr?.trim() || String(error)}`, { cause: error });
  }
}
