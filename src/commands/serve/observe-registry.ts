/** What the registry client tells, as metrics and as the few lines of log that somebody should read. */
import { codeOf } from '../../registry/http/errors.js';
import type { RegistryEvent } from '../../registry/http/observer.js';
import type { Log } from '../../telemetry/log.js';
import type { Metrics } from '../../telemetry/metrics.js';

export function observeRegistry({ registry: counts, mirroring }: Pick<Metrics, 'registry' | 'mirroring'>, log: Pick<Log, 'info' | 'warn'>): (event: RegistryEvent) => void {
  return (event) => {
    switch (event.type) {
      case 'exchange':
        return counts.requested({ host: event.registry, purpose: event.purpose, result: resultOf(event.status), seconds: event.tookMs / 1000 });
      case 'token':
        return counts.tokenAsked(event.registry, event.result);
      case 'cache':
        return counts.cached(event.cache, event.result);
      case 'blob':
        counts.blob(event.registry, event.how);
        return event.how === 'uploaded' ? mirroring.moved(event.registry, 'written', event.sizeBytes) : undefined;
      case 'retry':
        return counts.retried(event.registry, event.code);
      case 'corrupt':
        return counts.corrupt(event.registry, event.side);
      case 'guard':
        return counts.guarded(event.registry, event.rule);
      case 'read':
        return mirroring.moved(event.registry, 'read', event.bytes);
      case 'circuit':
        return tellCircuit(log, event);
      // the quota is read from the pace at every scrape
      case 'quota':
      case 'lied':
        return;
    }
  };
}

function tellCircuit(log: Pick<Log, 'info' | 'warn'>, { registry, circuit }: Extract<RegistryEvent, { type: 'circuit' }>): void {
  if (circuit === 'open') log.warn({ registry }, 'registry does not answer and is left alone');
  else log.info({ registry }, 'registry answers again');
}

/** Counted per request, so 401 on the way to a token and 404 for what is not there are ordinary answers. */
function resultOf(status: number): Parameters<Metrics['registry']['requested']>[0]['result'] {
  if (status === 0) return 'unreachable';
  return status < 400 ? 'ok' : codeOf({ status, errors: [] });
}
