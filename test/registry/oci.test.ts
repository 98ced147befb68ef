import { describe, expect, test } from '@jest/globals';
import { ociConformance } from '../conformance/oci.js';
import { crane, distribution28, distribution3, documented, scripted, type Deviations } from '../conformance/oci/registries.js';
import { rules } from '../conformance/oci/rules.js';
import { dialects, startFaultRegistry, type Dialect, type FaultRegistryOptions } from '../support/fault-registry.js';

const start = (options: FaultRegistryOptions) => async (): Promise<{ readonly url: string; close(): Promise<void> }> => {
  const server = await startFaultRegistry(options);
  return { url: `http://${server.host}`, close: () => server.close() };
};

/** ECR wants repositories to be made, which the table does not do: its deletions are tested where they are used. */
const notInTheTable: readonly string[] = ['ecr'];
const measured: Partial<Record<Dialect, Deviations>> = { 'distribution-2.8': distribution28, 'distribution-3': distribution3, crane };

ociConformance('the scripted registry', scripted, start({}));
ociConformance('the scripted registry with absolute upload locations', scripted, start({ locations: 'absolute' }));
for (const [dialect, deviations] of Object.entries(measured) as [Dialect, Deviations][]) {
  ociConformance(`the scripted registry does as ${dialect} does`, deviations, start({ dialect }));
}
for (const [dialect, deviations] of Object.entries(documented) as [Dialect, Deviations][]) {
  ociConformance(`the scripted registry does as ${dialect} is said to do`, { ...forgiven(dialect), ...deviations }, start({ dialect }));
}

/** What the scripted registry is strict in, unless the dialect is not. */
function forgiven(dialect: Dialect): Deviations {
  return 'accept' in dialects[dialect] ? Object.fromEntries(Object.entries(scripted).filter(([asks]) => asks.startsWith('PUT'))) : scripted;
}

describe('the table', () => {
  test('names every rule once', () => {
    expect(new Set(rules.map(({ asks }) => asks)).size).toBe(rules.length);
  });

  test('covers every endpoint of the specification', () => {
    const ends = ['end-1', 'end-2', 'end-3', 'end-4a', 'end-4b', 'end-5', 'end-6', 'end-7', 'end-8a', 'end-8b', 'end-9', 'end-10', 'end-11', 'end-12a', 'end-12b', 'end-13'];
    expect(new Set(rules.map(({ end }) => end).filter((end) => end !== '-'))).toEqual(new Set(ends));
  });

  test('declares deviations only of rules that it has, and only where they deviate', () => {
    const answers = new Map(rules.map(({ asks, answer }) => [asks, answer]));
    const all = [scripted, ...Object.values(measured), ...Object.values(documented)].flatMap((deviations) => Object.entries(deviations));

    expect(all.filter(([asks, answer]) => !answers.has(asks) || answers.get(asks) === answer)).toEqual([]);
  });

  test('knows every dialect', () => {
    expect(Object.keys(dialects).sort()).toEqual([...Object.keys(measured), ...Object.keys(documented), ...notInTheTable].sort());
  });
});
