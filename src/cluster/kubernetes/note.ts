import { annotations } from '../../domain/names.js';
import type { NoteRef } from '../cluster.js';
import type { Requests } from './requests.js';
import { apiVersionOf, leaseType as type } from './resources.js';
import { againOnConflict } from './retry.js';

/** What is read of a Lease to change a note. */
interface NoteHolder {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

export function changeNote<T>(requests: Requests, { namespace, name }: NoteRef, change: (text: string | undefined) => { readonly text: string | undefined; readonly answer: T }): Promise<T> {
  return againOnConflict(async () => {
    const lease = (await requests.jsonOrNothing({ verb: 'get', type, namespace, name })) as NoteHolder | undefined;
    const before = lease?.metadata.annotations?.[annotations.note];
    const { text, answer } = change(before);
    if (text === before || text === undefined) return answer;

    const metadata = { ...lease?.metadata, namespace, name, annotations: { ...lease?.metadata.annotations, [annotations.note]: text } };
    const body = { apiVersion: apiVersionOf(type), kind: type.kind, ...lease, metadata };
    if (lease === undefined) await requests.json({ verb: 'create', type, namespace, body });
    else await requests.json({ verb: 'update', type, namespace, name, body });
    return answer;
  });
}
