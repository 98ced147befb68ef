import { describe, test } from '@jest/globals';
import { findOldRegistry, startCraneRegistry, startOldRegistry, startRegistry, type Server } from '../../tools/servers.js';
import { ociConformance, type ServerUnderTest } from '../conformance/oci.js';
import { crane, distribution28, distribution3 } from '../conformance/oci/registries.js';

const old = await findOldRegistry();

ociConformance('distribution 3', distribution3, async () => asTested(await startRegistry()));
ociConformance("crane's registry in memory", crane, async () => asTested(await startCraneRegistry()));
if ('path' in old) ociConformance('distribution 2.8', distribution28, async () => asTested(await startOldRegistry(old.path)));
else describe('distribution 2.8', () => test.skip(`not run: ${old.missing}`, () => undefined));

function asTested(server: Server & { readonly url: string }): ServerUnderTest {
  return { url: server.url, close: () => server.stop() };
}
