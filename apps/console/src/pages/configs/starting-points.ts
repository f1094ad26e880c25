/** Configurations to start from when no template is chosen. Pure. */
import type { ConfigFile, Template } from '@drover/api'

export interface StartingPoint {
  readonly id: string
  readonly title: string
  readonly files: readonly ConfigFile[]
}

const DEFAULT_FILE_NAME = 'collector.yaml'
const one = (body: string): readonly ConfigFile[] => [{ name: DEFAULT_FILE_NAME, contentType: 'text/yaml', body }]

/** Runs as it is on a Collector with the usual components. */
export const firstPoint: StartingPoint = {
  id: 'otlp',
  title: 'OTLP in, log out: to see that it works',
  files: one(`# Takes telemetry by OTLP on the agent's own machine and prints a summary of it.
# Replace the debug exporter when you know where the telemetry should go.
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:4317
      http:
        endpoint: 127.0.0.1:4318

processors:
  batch: {}

exporters:
  debug:
    verbosity: basic

service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [debug]
    metrics:
      receivers: [otlp]
      processors: [batch]
      exporters: [debug]
    logs:
      receivers: [otlp]
      processors: [batch]
      exporters: [debug]
`),
}

const emptyPoint: StartingPoint = {
  id: 'empty',
  title: 'Empty: nothing but the sections',
  files: one('receivers: {}\n\nprocessors: {}\n\nexporters: {}\n\nservice:\n  pipelines: {}\n'),
}

const templateId = (name: string): string => `template ${name}`

export const pointOfTemplate = ({ name, title, files }: Template): StartingPoint => ({ id: templateId(name), title, files })

export function startingPoints(templates: readonly Template[]): readonly StartingPoint[] {
  return [firstPoint, emptyPoint, ...templates.map(pointOfTemplate)]
}
