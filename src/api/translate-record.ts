import { availabilityStates } from '../domain/availability.js';
import { parseDigest } from '../domain/digest.js';
import { failureCodes, sides } from '../domain/failure.js';
import { imageName, parseImageRef, type ImageName } from '../domain/image-ref.js';
import { annotations } from '../domain/names.js';
import type { Condition, ImageRecord, PlaceBlock, PlaceDrift, PlaceFailure, PlaceRecord } from '../domain/record.js';
import type { SecretRef } from '../domain/rule.js';
import { blockReasons } from '../domain/task.js';
import { Field } from './field.js';

/**
 * Reads an `ImageAvailability`. Records can be rebuilt, so what cannot be read is left out and nothing is reported:
 * the next write puts it right.
 *
 * @param object from JSON
 * @returns a record whose `image` is the text as it stands when it is no image name: nothing has that key
 * @throws never
 */
export function translateRecord(object: unknown): ImageRecord {
  const root = new Field(object, '', []);
  const metadata = root.get('metadata');
  const status = root.get('status');
  const written = root.get('spec').get('image').text() ?? '';
  return compact({
    name: metadata.get('name').text() ?? '',
    image: readImageName(written) ?? (written as ImageName),
    uid: metadata.get('uid').text(),
    pods: status.get('pods').integer() ?? 0,
    original: status.get('original').boolean(),
    unusedSince: readTime(status.get('unusedSince')),
    expiresAt: readTime(status.get('expiresAt')),
    trackedBy: readTexts(status.get('trackedBy')),
    places: status.get('places').items().flatMap(readPlace),
    conditions: status.get('conditions').isPresent() ? status.get('conditions').items().flatMap(readCondition) : undefined,
    keepUntil: metadata.get('annotations').get(annotations.keepUntil).text(),
    requestedAt: metadata.get('annotations').get(annotations.requestedAt).text(),
    paused: metadata.get('annotations').get(annotations.paused).text() === 'true' ? true : undefined,
  });
}

function readCondition(condition: Field): readonly Condition[] {
  const [type, reason] = [condition.get('type').text(), condition.get('reason').text()];
  const status = condition.get('status').oneOf(['True', 'False', 'Unknown']);
  const lastTransitionTime = readTime(condition.get('lastTransitionTime'));
  if (type === undefined || status === undefined || lastTransitionTime === undefined) return [];
  const observedGeneration = condition.get('observedGeneration').integer();
  return [{ type, status, reason: reason ?? '', message: condition.get('message').text() ?? '', ...(observedGeneration === undefined ? {} : { observedGeneration }), lastTransitionTime }];
}

/** A place without a readable reference is no place. */
function readPlace(place: Field): readonly PlaceRecord[] {
  const reference = readImageName(place.get('reference').text());
  if (reference === undefined) return [];
  const found: PlaceRecord = {
    reference,
    role: place.get('role').oneOf(['origin', 'mirror', 'replica']),
    rule: place.get('rule').text(),
    secret: readSecret(place.get('secret')),
    retention: place.get('retention').text(),
    state: place.get('state').oneOf(availabilityStates),
    checkedAt: readTime(place.get('checkedAt')),
    identity: place.get('identity').text(),
    checkFailure: place.get('checkFailure').text(),
    digest: parseDigest(place.get('digest').text()),
    sourceDigest: parseDigest(place.get('sourceDigest').text()),
    strategy: place.get('strategy').oneOf(['all', 'sparse', 'rewrite', 'adopted']),
    platforms: readTexts(place.get('platforms')),
    missingPlatforms: readTexts(place.get('missingPlatforms')),
    bytes: place.get('bytes').integer(),
    mirroredAt: readTime(place.get('mirroredAt')),
    retiringSince: readTime(place.get('retiringSince')),
    triedAt: readTime(place.get('triedAt')),
    failure: readFailure(place.get('failure')),
    blocked: readBlock(place.get('blocked')),
    drift: readDrift(place.get('drift')),
    workflowId: place.get('workflowId').text(),
  };
  return [compact(found)];
}

function readFailure(field: Field): PlaceFailure | undefined {
  const code = field.get('code').oneOf(failureCodes);
  const since = readTime(field.get('since'));
  if (code === undefined || since === undefined) return undefined;
  return compact({ code, side: field.get('side').oneOf(sides), since, message: field.get('message').text() ?? '', attempts: field.get('attempts').integer() ?? 0 });
}

function readBlock(field: Field): PlaceBlock | undefined {
  const reason = field.get('reason').oneOf<PlaceBlock['reason']>([...blockReasons, ...failureCodes]);
  const since = readTime(field.get('since'));
  if (reason === undefined || since === undefined) return undefined;
  return { reason, since, message: field.get('message').text() ?? '', attempts: field.get('attempts').integer() ?? 0 };
}

function readDrift(field: Field): PlaceDrift | undefined {
  const since = readTime(field.get('since'));
  const [origin, destination] = [parseDigest(field.get('origin').text()), parseDigest(field.get('destination').text())];
  return since === undefined || (origin === undefined && destination === undefined) ? undefined : compact({ origin, destination, since });
}

function readSecret(field: Field): SecretRef | undefined {
  const namespace = field.get('namespace').text();
  const name = field.get('name').text();
  return namespace && name ? { namespace, name } : undefined;
}

function readImageName(text: string | undefined): ImageName | undefined {
  const ref = text === undefined ? undefined : parseImageRef(text);
  return ref === undefined ? undefined : imageName(ref);
}

/** RFC 3339, kept as text; anything that is no time counts as absent. */
function readTime(field: Field): string | undefined {
  const text = field.text();
  return text === undefined || Number.isNaN(Date.parse(text)) ? undefined : text;
}

function readTexts(list: Field): readonly string[] | undefined {
  if (!list.isPresent()) return undefined;
  return list.items().flatMap((item) => item.text() ?? []);
}

/** Without the fields that are undefined: equal records then compare as equal. */
function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}
