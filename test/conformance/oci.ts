/**
 * What a registry does on the wire, rule by rule, against what is known of it: the rules of the OCI distribution
 * specification 1.1, and a short list of declared deviations. A deviation that no longer occurs fails as well, so
 * that the page made of them stays true.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Deviations } from './oci/registries.js';
import { rules } from './oci/rules.js';
import { Wire } from './oci/wire.js';

export interface ServerUnderTest {
  /** `http://127.0.0.1:PORT` of an empty registry */
  readonly url: string;
  close(): Promise<unknown>;
}

export function ociConformance(name: string, deviations: Deviations, start: () => Promise<ServerUnderTest>): void {
  describe(name, () => {
    let server: ServerUnderTest | undefined;
    let wire: Wire;
    beforeAll(async () => {
      server = await start();
      wire = new Wire(server.url);
    });
    afterAll(async () => {
      await wire?.close();
      await server?.close();
    });

    test.each(rules.map((rule, at) => [rule.end, rule.asks, rule, at] as const))('%s: %s', async (_end, asks, rule, at) => {
      expect(await rule.observe(wire, `conformance/rule-${at}`)).toBe(deviations[asks] ?? rule.answer);
    });
  });
}
