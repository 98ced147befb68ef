/** Runs once after tests on real servers: removes what global-setup.ts left in the file system. */
import { rmSync } from 'node:fs';

// eslint-disable-next-line no-restricted-exports -- jest asks for a default export
export default function globalTeardown(): void {
  const ports = process.env['KUIK_PORTS'];
  if (ports !== undefined) rmSync(ports, { recursive: true, force: true });
}
