/** What registries mean when they refuse to take something. Texts differ and change: the status comes first. */
import type { Failure } from '../../domain/failure.js';
import type { ImageRef, Repository } from '../../domain/image-ref.js';
import type { Call } from '../registry.js';
import type { Answer } from './answer.js';
import type { Asker } from './asker.js';
import { failure, isThrottled, type Asked } from './errors.js';

const quotaStatus: readonly number[] = [400, 403, 412, 413];
const quotaWords = /quota|storage (?:is )?(?:limit|full|exceeded|exhausted)|(?:insufficient|out of|no more) storage|no space left|exceeds? the (?:configured )?(?:upper|storage|size) limit/i;
const immutableStatus: readonly number[] = [400, 403, 405];
const immutableWords = /immutable|cannot be overwritten|overwriting .*not allowed|already exists/i;

/**
 * The failure of a refused upload or manifest: storage that is used up is `denied`, and says so, whatever the status.
 */
export function refusedWrite(asker: Pick<Asker, 'refusal'>, answer: Answer, asked: Asked, call: Call): Failure {
  const refused = asker.refusal(answer, asked, call);
  if (isThrottled(answer) || !isStorageUsedUp(answer)) return refused;
  return failure('denied', `storage is used up on ${call.side} ${asked.host}: ${refused.message}`, asked, call);
}

/** A name that the registry does not take is told with its length: that is mostly what is wrong with it, and it is never cut. */
export function refusedName({ path }: Repository, answer: Answer, refused: Failure, asked: Asked, call: Call): Failure | undefined {
  if (answer.status !== 400 || !answer.errors.some(({ code }) => code === 'NAME_INVALID')) return undefined;
  return failure('invalid', `${refused.message} (the name has ${path.length} characters)`, asked, call);
}

/** A tag that may not be moved: 409 and 412 say so, other refusals by their text. */
export function isImmutableTag(answer: Answer): boolean {
  if (isStorageUsedUp(answer)) return false;
  return answer.status === 409 || answer.status === 412 || (immutableStatus.includes(answer.status) && says(answer, immutableWords));
}

function isStorageUsedUp(answer: Answer): boolean {
  return answer.status === 507 || (quotaStatus.includes(answer.status) && says(answer, quotaWords));
}

function says({ errors }: Pick<Answer, 'errors'>, words: RegExp): boolean {
  return errors.some(({ code, message }) => words.test(`${code} ${message}`));
}

/** A repository that has to be made before anything is pushed to it, with the next step. */
export function absentRepository(to: Repository, asked: Asked, call: Call): Failure {
  return failure('missing', `repository ${to.path} missing on ${call.side} ${to.host}: ${nextStep(to)}`, asked, call);
}

function nextStep({ host, path }: Pick<ImageRef, 'host' | 'path'>): string {
  if (/\.dkr\.ecr(?:-fips)?\.[^.]+\.amazonaws\.com(?:\.cn)?$/.test(host)) return `create it (aws ecr create-repository --repository-name ${path}), or have ECR create repositories on push`;
  if (/(?:-docker\.pkg\.dev|\.gcr\.io)$/.test(host)) return `create the Artifact Registry repository ${path.split('/').slice(0, 2).join('/')} there`;
  return 'create it there, or let the registry create repositories on push';
}
