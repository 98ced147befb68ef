/** One DELETE of a tag or a digest. @see OCI distribution specification 1.1, "Content Management" */
import type { ImageRef } from '../../domain/image-ref.js';
import type { Call, DeleteAnswer, Identity } from '../registry.js';
import type { Answer } from './answer.js';
import type { Asker } from './asker.js';
import type { Request } from './request.js';
import { failure, isThrottled } from './errors.js';
import { deleteScope } from './scope.js';

const accepted: readonly number[] = [200, 202, 204];
/** distribution 2.8 reads a tag as a digest, and answers 400 `DIGEST_INVALID` */
const unsupported: readonly number[] = [400, 405, 501];

export class Deleter {
  constructor(readonly asker: Asker) {}

  async deleteManifest(at: ImageRef, as: Identity, call: Call): Promise<DeleteAnswer> {
    const request = requestOf(at);
    return this.asker.use(request, as, call, (answer) => this.#outcome(answer, request, call));
  }

  #outcome(answer: Answer, request: Request, call: Call): DeleteAnswer {
    if (accepted.includes(answer.status)) return 'accepted';
    if (isThrottled(answer)) throw this.asker.refusal(answer, request, call);
    if (isProtected(answer)) throw failure('conflict', this.asker.refusal(answer, request, call).message, request, call);
    if (answer.status === 404) return 'absent';
    if (unsupported.includes(answer.status) || saysUnsupported(answer)) return 'unsupported';
    throw this.asker.refusal(answer, request, call);
  }
}

function saysUnsupported({ status, errors }: Answer): boolean {
  return status < 500 && errors.some(({ code }) => code === 'UNSUPPORTED' || code === 'DIGEST_INVALID');
}

/** Vendors word it differently, and change it: 409 and 412 say so anyway, other refusals only in their text. */
function isProtected({ status, errors }: Answer): boolean {
  return status < 500 && errors.some(({ code, message }) => /immutable|locked/i.test(`${code} ${message}`));
}

function requestOf(at: ImageRef): Request {
  const reference = at.digest ?? at.tag ?? 'latest';
  return {
    method: 'DELETE',
    host: at.host,
    path: `${at.path}/manifests/${reference}`,
    what: `manifest ${at.path}${at.digest === undefined ? ':' : '@'}${reference}`,
    scopes: [deleteScope(at)],
    lane: 'metadata',
    tryNextOn: [401, 403],
    // by digest only right after everybody who may share it was asked: a repetition would be on suspicion
    ...(at.digest === undefined ? {} : { once: true }),
  };
}
