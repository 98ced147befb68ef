import { LRUCache } from 'lru-cache';
import { Failure, isFailure } from '../../domain/failure.js';
import type { Repository } from '../../domain/image-ref.js';
import { viewerOf } from '../locations.js';
import { embeddedBytes } from '../manifest.js';
import type { Call, Descriptor, Identity, Registry } from '../registry.js';

const keptBytes = 8 * 1024 * 1024;
const longestBytes = 8 * 1024 * 1024;

/** Blobs that are read to decide something, and soon after to be copied: kept so that they are read once. */
export class SmallBlobs {
  readonly #kept = new LRUCache<string, Uint8Array>({ maxSize: keptBytes, sizeCalculation: ({ length }) => length + 256 });

  /** Bytes that need no request: the descriptor carries them, or this identity has just read them there. */
  known(from: Repository, of: Descriptor, as: Identity): Uint8Array | undefined {
    return embeddedBytes(of) ?? this.#kept.get(keyOf(from, of, as));
  }

  /** Damaged once is asked for once more. @throws Failure `too-large` beyond 8 MiB, and whatever `Registry.blob` throws */
  async read(registry: Pick<Registry, 'blob'>, from: Repository, of: Descriptor, as: Identity, call: Call): Promise<Uint8Array> {
    const known = this.known(from, of, as);
    if (known !== undefined) return known;
    if (of.size > longestBytes) throw new Failure({ code: 'too-large', side: call.side, host: from.host, message: `blob ${of.digest} of ${from.path} on ${call.side} ${from.host} is larger than 8 MiB` });

    const get = (): Promise<Uint8Array> => collect(registry.blob(from, of, as, call));
    const bytes = await get().catch((error: unknown) => {
      if (!isFailure(error) || error.code !== 'corrupt') throw error;
      return get();
    });
    this.#kept.set(keyOf(from, of, as), bytes);
    return bytes;
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}

function keyOf(from: Repository, { digest }: Descriptor, as: Identity): string {
  return `${from.host}/${from.path}@${digest} ${viewerOf(as)}`;
}
