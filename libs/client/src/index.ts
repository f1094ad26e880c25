/** The agent's side of OpAMP: open a client, tell it the agent's state, and do what its handler is told. */
export type {
  ClientHandler,
  ConnectionSettings,
  ConnectionStatus,
  OpampClient,
  OpampClientOptions,
  ProxySettings,
  TlsSettings,
  TlsVersion,
} from './client.ts'
export { type Clock, systemClock } from './clock.ts'
export { ClientError, type ClientErrorCode } from './errors.ts'
export { type ClientLimits, defaultClientLimits, defaultRetryPolicy, type RetryPolicy } from './limits.ts'
export { openOpampClient } from './opamp-client.ts'
export type { ClientLog, LogFields, LogLevel } from './log.ts'
export { mergeConnectionSettings } from './settings/merge-connection-settings.ts'
export type { ClientStore } from './store.ts'
export { folderStore } from './stores/folder-store.ts'
export { memoryStore } from './stores/memory-store.ts'
export { removeFileDurably, writeFileDurably } from './stores/write-file.ts'
export { type CertificateRequest, createCertificateRequest } from './tls/certificate-request.ts'
