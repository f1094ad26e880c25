/** The control plane as a program: read its configuration, then start it. */
export { ConfigError, loadConfig } from './config/load-config.ts'
export type { ConfigSources } from './config/load-config.ts'
export { LOG_LEVELS, serverOptions } from './config/options.ts'
export type { ControlPlaneConfig, LogLevel, OptionDefinition } from './config/options.ts'
export { startControlPlane } from './control-plane.ts'
export type { ControlPlane, ControlPlaneParts } from './control-plane.ts'
export { ListenError } from './listen.ts'
export { DataFolderInUseError, NewerSchemaError, StoreUnavailableError, StoreUnusableError } from './storage/errors.ts'
