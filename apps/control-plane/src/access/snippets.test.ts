import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { extensionSnippet, supervisorSnippet } from './snippets.ts'

const input = { endpoint: 'wss://drover.example.com/v1/opamp', token: 'drover_enr_1', name: 'web hosts' }

describe('the file for a supervisor', () => {
  const file = parse(supervisorSnippet(input))

  it('connects, and has one line each to adapt', () => {
    expect(file.server).toEqual({ endpoint: input.endpoint, headers: { Authorization: ['Bearer drover_enr_1'] } })
    expect(supervisorSnippet(input).match(/<--/g)).toHaveLength(3)
    for (const key of ['executable', 'directory']) expect(supervisorSnippet(input).match(new RegExp(`^\\s*${key}:`, 'gm'))).toHaveLength(1)
  })

  it('switches on all that Drover uses: own metrics and log, no traces, which it only counts', () => {
    expect(file.capabilities).toEqual({
      accepts_remote_config: true,
      reports_remote_config: true,
      reports_effective_config: true,
      reports_health: true,
      reports_available_components: true,
      reports_heartbeat: true,
      accepts_restart_command: true,
      reports_own_metrics: true,
      reports_own_logs: true,
    })
  })

  it('has the Collector tell its metrics as often as Drover keeps points; the value is text, as the stock supervisor wants it', () => {
    expect(file.agent.env).toEqual({ OTEL_METRIC_EXPORT_INTERVAL: '10000' })
  })

  it('keeps a name with line ends in its comment', () => {
    const named = supervisorSnippet({ ...input, name: 'a\nserver: {}\r\u2028b' })
    expect(parse(named)).toEqual(file)
    expect(named.split('\n')[1]).toMatch(/^# Enrolment token: a server: \{\}/)
  })
})

describe('the file for the extension alone', () => {
  it('connects by the transport of the endpoint, and cannot be configured', () => {
    expect(parse(extensionSnippet(input)).extensions.opamp).toMatchObject({
      server: { ws: { endpoint: input.endpoint, headers: { Authorization: 'Bearer drover_enr_1' } } },
      capabilities: { reports_health: true },
    })
    expect(Object.keys(parse(extensionSnippet({ ...input, endpoint: 'https://a/v1/opamp' })).extensions.opamp.server)).toEqual(['http'])
  })
})
