import { upsertSearchAttributes } from '@temporalio/workflow';
import { searchAttributes } from '../temporal/contract.js';

/** Values by name; null takes one away. */
export type Attributes = { readonly [Name in keyof typeof searchAttributes]?: string | readonly string[] | number | Date | null };

const longestKeyword = 255; // bytes: PostgreSQL never lists a run with a longer one, and retries its write for ever

/** Upserts what changed since the last time: each upsert is an event of the history. */
export function createAttributes(searchable: boolean): (next: Attributes) => void {
  const last = new Map<string, string>();
  return (next) => {
    const changed = Object.entries(next).filter(([name, value]) => last.get(name) !== JSON.stringify(value) && !(value === null && !last.has(name)));
    for (const [name, value] of changed) last.set(name, JSON.stringify(value));
    if (searchable && changed.length > 0) upsertSearchAttributes(changed.map(([name, value]) => pair(name as keyof typeof searchAttributes, value)));
  };
}

type Pair = Extract<Parameters<typeof upsertSearchAttributes>[0], readonly unknown[]>[number];

function pair(name: keyof typeof searchAttributes, value: Attributes[typeof name]): Pair {
  const cut = typeof value === 'string' ? value.slice(0, longestKeyword) : Array.isArray(value) ? value.map((item: string) => item.slice(0, longestKeyword)) : value;
  return { key: { name, type: searchAttributes[name] }, value: cut } as Pair; // the table pairs each name with its type
}
