import type { CredentialId } from '../../domain/availability.js';
import type { FailureCode } from '../../domain/failure.js';
import type { BlobOutcome, Purpose } from '../registry.js';

/** `throttled`: refused because there were too many; `failed`: no answer. */
export type TokenResult = 'granted' | 'refused' | 'throttled' | 'failed';

/** What can be observed of the client; telemetry turns it into metrics. No image names, no secrets. */
export type RegistryEvent =
  | {
      readonly type: 'exchange';
      /** `host[:port]` of the registry */
      readonly registry: string;
      readonly method: string;
      /** `manifests`, `blobs`, `uploads`, `tags`, `other` */
      readonly route: string;
      /** 0 when there was no answer */
      readonly status: number;
      readonly purpose: Purpose;
      /** milliseconds to the answer's headers */
      readonly tookMs: number;
      readonly identity: CredentialId;
    }
  | { readonly type: 'token'; readonly registry: string; readonly result: TokenResult }
  | { readonly type: 'cache'; readonly cache: 'manifest' | 'blob' | 'token'; readonly result: 'hit' | 'miss' }
  | { readonly type: 'blob'; readonly registry: string; readonly how: BlobOutcome | 'resumed' | 'restarted'; readonly sizeBytes: number }
  /** bytes of a blob or manifest that a copy has read */
  | { readonly type: 'read'; readonly registry: string; readonly bytes: number }
  | { readonly type: 'retry'; readonly registry: string; readonly code: FailureCode }
  | { readonly type: 'corrupt'; readonly registry: string; readonly side: 'source' | 'destination' }
  | { readonly type: 'lied'; readonly registry: string; readonly about: 'digest' }
  | { readonly type: 'quota'; readonly registry: string; readonly remaining: number }
  /** `open`: it did not answer five times in a row, and is left alone for a while */
  | { readonly type: 'circuit'; readonly registry: string; readonly circuit: 'open' | 'closed' }
  | { readonly type: 'guard'; readonly registry: string; readonly rule: string };

export type Observer = (event: RegistryEvent) => void;
