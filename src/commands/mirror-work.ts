import { createCredentials } from '../activities/credentials.js';
import { createMirrorActivities } from '../activities/mirror.js';
import { createRecordActivities } from '../activities/record.js';
import { knownImageRef } from '../domain/image-ref.js';
import { createCopyEngine } from '../registry/copy.js';
import { keyring } from '../registry/keyring.js';
import type { MirrorActivities, RecordActivities, RecordInput } from '../temporal/activities.js';
import type { Base } from './base.js';
import type { ManagerViews } from './part.js';

/** What the workflows of this cluster have done in the world. */
export function mirrorWork({ cluster, registry, config, metrics }: Base, views: ManagerViews): { registry: MirrorActivities; cluster: RecordActivities } {
  const credentials = createCredentials({
    rules: () => views.rules.snapshot(),
    record: (image) => views.records.byImage(image),
    podsUsing: (image) => views.usage.podsOf(image),
    secret: (ref) => cluster.secret(ref),
    keyring,
    fallback: (host) => fallbackSecret(config, host),
  });
  return {
    registry: createMirrorActivities({ engine: createCopyEngine(registry), credentials }),
    cluster: createRecordActivities({ cluster, observe: (input) => countEnding(input, metrics) }),
  };
}

function fallbackSecret({ monitoring }: Base['config'], host: string): ReturnType<Parameters<typeof createCredentials>[0]['fallback']> {
  return (monitoring.items[host] ?? monitoring.default).fallbackCredentialSecret;
}

function countEnding({ destination, report }: RecordInput, { mirroring }: Base['metrics']): void {
  const { host } = knownImageRef(destination);
  if (report.state === 'failed') mirroring.copied(host, 'failed', report.failure.code);
  if (report.state !== 'copied') return;
  const { result, bytes } = report.outcome;
  mirroring.copied(host, result);
  mirroring.moved(host, 'written', bytes);
}
