import type { Cluster } from '../cluster/cluster.js';
import { imageName, parseImageRef, type ImageName } from '../domain/image-ref.js';
import type { ImageRecord } from '../domain/record.js';
import { unlessDenied } from './read-views.js';

/** The records of images as a person names them; every one that is not there is a problem. */
export interface Found {
  readonly records: readonly ImageRecord[];
  readonly problems: readonly string[];
}

const kind = 'imageavailability.kuik.enix.io';
const named = /^(?:ia|imageavailabilit(?:y|ies)(?:\.kuik\.enix\.io)?)\/(.+)$/;

/** What `-o name` prints, and `findImages` reads. */
export function recordText({ name }: Pick<ImageRecord, 'name'>): string {
  return `${kind}/${name}`;
}

/** @param names image references as in a Pod, or names of records: `ia/NAME` */
export async function findImages(names: readonly string[], cluster: Pick<Cluster, 'record' | 'list'>): Promise<Found> {
  const all = names.some((name) => named.test(name)) ? await cluster.list('ImageAvailability') : [];
  const found = await Promise.all(names.map((name) => findOne(name, all, cluster)));
  const records = new Map(found.filter((each) => typeof each !== 'string').map((record) => [record.name, record]));
  return { records: [...records.values()], problems: found.filter((each) => typeof each === 'string') };
}

async function findOne(text: string, all: readonly ImageRecord[], cluster: Pick<Cluster, 'record' | 'list'>): Promise<ImageRecord | string> {
  const [, name] = named.exec(text) ?? [];
  if (name !== undefined) return all.find((record) => record.name === name) ?? `${text}: there is no such record; kubectl get ia lists them`;
  const ref = parseImageRef(text);
  if (ref === undefined) return `${text || '""'}: not an image reference; write it as in a Pod, nginx:1.27 or registry.example.com/team/api:v4, or as ia/NAME`;
  const image = imageName(ref);
  return (await cluster.record(image)) ?? unknownImage(text, image, await alike(image, cluster));
}

const mostAlike = 3;

/** Images of the same last name, whichever their host, path and tag. @throws Failure `missing` where there are no records at all */
async function alike(image: ImageName, cluster: Pick<Cluster, 'list'>): Promise<readonly ImageName[]> {
  const records = (await unlessDenied(() => cluster.list('ImageAvailability'))) ?? [];
  return records.map((record) => record.image).filter((other) => lastNameOf(other) === lastNameOf(image)).sort().slice(0, mostAlike);
}

function lastNameOf(image: ImageName): string | undefined {
  return parseImageRef(image)?.path.split('/').at(-1);
}

function unknownImage(text: string, image: ImageName, others: readonly ImageName[]): string {
  const meant = text === image ? '' : ` (${image})`;
  return `${text}${meant}: kuik has no record of it, since no Pod uses it and no copy of it is kept; ${others.length === 0 ? 'kubectl get ia lists the images kuik knows' : `it knows ${others.join(', ')}`}`;
}
