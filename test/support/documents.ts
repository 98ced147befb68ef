import { expect } from '@jest/globals';
import { parse } from 'yaml';
import { documents } from '../../src/commands/documents/all.js';

/** Reads what `-o json` or `-o yaml` printed; fails on anything its schema does not have. */
export function readDocument<T>(kind: string, output: string): T {
  const found: unknown = parse(output);
  expect(documents[kind]?.parse(found)).toEqual(found); // what the schema does not know, parsing leaves out
  return found as T;
}
