/** What the suites share: real programs as children, folders, events, receivers. */
import './failure-output.ts'

export * from './child.ts'
export * from './event-stream.ts'
export * from './folder.ts'
export * from './otlp-sink.ts'
export * from './ports.ts'
export * from './server.ts'
