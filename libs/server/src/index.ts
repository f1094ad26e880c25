/** The server's side of OpAMP: give it a handler, attach it to an HTTP server, and offer things to agents. */
export { type Clock, systemClock } from './clock.ts'
export type {
  Admission,
  AgentReport,
  ConnectionInfo,
  ConnectRequest,
  Disconnection,
  DisconnectReason,
  Duplicate,
  Offer,
  OpampHandler,
  Transport,
} from './handler.ts'
export type { InProcessConnection } from './in-process.ts'
export { defaultServerLimits, type ServerLimits } from './limits.ts'
export type { LogFields, LogLevel, RefusalCause, ServerLog, ServerObserver } from './log.ts'
export { createOpampServer, type InProcessOptions, type OpampServer, type OpampServerOptions } from './opamp-server.ts'
export { type ConfigFile, type PreparedRemoteConfig, prepareRemoteConfig } from './remote-config.ts'
