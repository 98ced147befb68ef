import { defineQuery, defineSignal, log, setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import { tickMs } from '../domain/check-pace.js';
import { isMonitorSettings, readCheckNow } from '../domain/monitor-door.js';
import { acceptCheckNow, acceptMonitorPause, acceptSettings, type MonitorState, type MonitorStep } from '../domain/monitor-run.js';
import { monitorStatusOf, type MonitorStatus } from '../domain/monitor-story.js';
import { queries, signals } from '../temporal/contract.js';
import type { Monitor } from './monitor-registry.js';

/** Registers every handler at once: signals only change memory and wake the loop. Descriptions are the operator's manual. */
export function installMonitorHandlers(monitor: Monitor, plan: () => MonitorStep): void {
  const on = (name: string, description: string, handle: (payload: unknown) => void): void => {
    setHandler(defineSignal<[unknown]>(name), handle, { description });
  };
  const become = (state: MonitorState): void => {
    monitor.state = state;
    monitor.woken = true;
  };
  const dropped = (name: string): void => log.warn('signal does not read and was dropped', { signal: name });

  on(signals.configure, 'At what pace this registry is checked: sent by the manager. To change it, change the configuration.', (payload) => {
    if (!isMonitorSettings(payload)) return dropped(signals.configure);
    const { settings: before } = monitor.state;
    become(acceptSettings(monitor.state, payload, Date.now()));
    if (before !== undefined && tickMs(before) !== tickMs(payload)) monitor.callOff?.();
  });
  on(signals.checkNow, 'Check out of turn: {"image": "docker.io/library/nginx:1.27"}, or whichever is next when nothing is named.', (payload) => {
    const read = readCheckNow(payload);
    if (read === false) return dropped(signals.checkNow);
    become(acceptCheckNow(monitor.state, read.image));
    monitor.callOff?.();
  });
  on(signals.pause, 'Check nothing on this registry until resume. No payload.', () => {
    become(acceptMonitorPause(monitor.state, true));
    monitor.callOff?.();
  });
  on(signals.resume, 'Check again. No payload.', () => become(acceptMonitorPause(monitor.state, false)));
  setDefaultSignalHandler((name) => dropped(name));

  setHandler(defineQuery<MonitorStatus>(queries.status), () => monitorStatusOf(monitor.state, plan()), { description: 'What this monitor knows and does next.' });
}
