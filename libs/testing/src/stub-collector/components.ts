/** What the stub contains. */
import { stubVersion } from './version.ts'

export type ComponentSection = 'receivers' | 'processors' | 'exporters' | 'connectors' | 'extensions'

/** Types by section. `stub` is where a configuration says how to misbehave. */
export const stubComponents: Readonly<Record<ComponentSection, readonly string[]>> = {
  receivers: ['nop', 'otlp', 'stub'],
  processors: ['batch'],
  exporters: ['debug', 'nop', 'otlp_http', 'otlphttp'],
  connectors: ['forward'],
  extensions: ['health_check', 'opamp'],
}

/** `otlphttp/out` -> `otlphttp`. */
export function typeOf(id: string): string {
  return id.split('/')[0] ?? id
}

/** The answer of the subcommand `components`. */
export function describeComponents(): string {
  const lines = ['buildinfo:', '    command: otelcol', '    description: ""', `    version: ${stubVersion}`]
  for (const [section, types] of Object.entries(stubComponents)) {
    lines.push(`${section}:`)
    for (const type of types) lines.push(`    - name: ${type}`, `      module: drover.example/${section}/${type} v${stubVersion}`)
  }
  return lines.join('\n')
}
