/** The platform of a single image: what its config says. @see OCI image specification 1.1, config.md */
import * as z from 'zod';
import { isFailure } from '../../domain/failure.js';
import type { Platform } from '../../domain/platform.js';
import type { EngineCall } from '../copy-engine.js';
import { parseForeignJson } from '../json.js';
import type { Manifest } from '../registry.js';
import type { Reading } from './choose.js';
import { sideCall, type CopyContext } from './context.js';

const configTypes: readonly string[] = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json'];

const Text = z.string();
const Config = z.object({ os: Text.min(1), architecture: Text.min(1), variant: Text.optional().catch(undefined) });

/**
 * @returns undefined for what is no image that runs (a chart, a module), or does not say where it does; and for a damaged
 *   config, which is for copying to report: another source may serve it
 */
export async function platformOf({ registry, small }: Pick<CopyContext, 'registry' | 'small'>, { blobs }: Manifest, { ref, as, side }: Reading, call: EngineCall): Promise<Platform | undefined> {
  const [config] = blobs;
  if (config === undefined || !configTypes.includes(config.mediaType)) return undefined;
  const bytes = await small.read(registry, ref, config, as, sideCall(side, call)).catch((error: unknown) => {
    if (isFailure(error) && error.code === 'corrupt') return undefined;
    throw error;
  });
  const read = Config.safeParse(bytes === undefined ? undefined : parseJson(Buffer.from(bytes).toString('utf8')));
  if (!read.success) return undefined;
  const { os, architecture, variant } = read.data;
  return { os, architecture, ...(variant ? { variant } : {}) };
}

function parseJson(text: string): unknown {
  try {
    return parseForeignJson(text);
  } catch {
    return undefined;
  }
}
