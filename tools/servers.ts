/**
 * Real servers for demo, tests and benches, each on a free port of 127.0.0.1, with a health check, a log file and a
 * clean end:
 *
 *     const registry = await startRegistry();
 *     await toolOutput('crane', ['ls', `${registry.address}/library/nginx`]);
 *     await registry.stop();
 *
 * To bring one back as it was, start it again with its port and folder: `startRegistry({ port: registry.port, dir: registry.dir })`.
 */
export { startApiServer } from './api-server.js';
export type { ApiServer, ApiServerOptions } from './api-server.js';
export { startCraneRegistry } from './crane-registry.js';
export type { CraneRegistryServer } from './crane-registry.js';
export { scratchFolder } from './guard.js';
export { findOldRegistry, startOldRegistry } from './old-registry.js';
export type { OldRegistry } from './old-registry.js';
export { freePort } from './ports.js';
export { launch, logTail } from './process.js';
export type { Exit, Launch, Server } from './process.js';
export { startRegistry } from './registry.js';
export type { RegistryOptions, RegistryServer } from './registry.js';
export { runTool, toolOutput } from './run-tool.js';
export type { RunOptions, ToolOutput } from './run-tool.js';
export { startTemporal } from './temporal.js';
export type { TemporalOptions, TemporalServer } from './temporal.js';
