/** A configuration that does nothing and works: what to give back to an Agent that failed its very first one. */
import type { ComponentType } from '@drover/agent-config'
import type { DesiredFile } from './desired.ts'

const body = `# Carries no telemetry. Offered because the agent failed its first configuration.
receivers:
  nop:
exporters:
  nop:
service:
  pipelines:
    traces:
      receivers: [nop]
      exporters: [nop]
`

/**
 * `components`: what the Agent reported to contain; undefined when that is not known: supervisors need the nop receiver
 * and exporter themselves to start. Returns undefined when the Agent lacks one of them.
 */
export function baselineConfig(components: readonly ComponentType[] | undefined): readonly DesiredFile[] | undefined {
  const has = (kind: string): boolean => components === undefined || components.some((component) => component.kind === kind && component.type === 'nop')
  return has('receiver') && has('exporter') ? [{ name: 'baseline.yaml', contentType: 'text/yaml', body }] : undefined
}
