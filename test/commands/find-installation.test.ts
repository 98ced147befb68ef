import { describe, expect, test } from '@jest/globals';
import { findInstallation } from '../../src/commands/find-installation.js';
import { readEnvironment } from '../../src/config/environment.js';
import { Failure } from '../../src/domain/failure.js';

const denied = new Failure({ code: 'denied', side: 'cluster', message: 'not allowed to list configmaps' });

/** ConfigMaps of these names have the labels of the chart. */
const find = (labelled: readonly string[] | Failure, told: Readonly<Record<string, string>> = {}) =>
  findInstallation({ objects: async () => (labelled instanceof Failure ? Promise.reject(labelled) : labelled.map((name) => ({ metadata: { name } }))) }, readEnvironment({ POD_NAMESPACE: 'kuik', ...told }));

describe('what the names of an installation begin with', () => {
  test.each<[string, readonly string[] | Failure, Readonly<Record<string, string>>, string]>([
    ['is the usual name where there is none', [], {}, 'kube-image-keeper'],
    ['is the usual name where one has it, whatever else is there', ['other-manager-config', 'kube-image-keeper-manager-config'], {}, 'kube-image-keeper'],
    ['is that of the only one', ['kuik-kube-image-keeper-manager-config'], {}, 'kuik-kube-image-keeper'],
    ['is what somebody told', ['kuik-kube-image-keeper-manager-config'], { KUIK_FULL_NAME: 'mine' }, 'mine'],
    ['is the usual name to whom may not look', denied, {}, 'kube-image-keeper'],
    ['does not come from a ConfigMap of something else', ['dashboards'], {}, 'kube-image-keeper'],
  ])('%s', async (_sentence, labelled, told, fullName) => {
    expect(await find(labelled, told)).toMatchObject({ fullName, installNamespace: 'kuik' });
  });

  test('is not guessed among several: they are named, and what says which is meant', async () => {
    expect(await find(['one-manager-config', 'two-manager-config'])).toBe('several installations are in namespace kuik: KUIK_FULL_NAME says which is meant, one or two');
  });
});
