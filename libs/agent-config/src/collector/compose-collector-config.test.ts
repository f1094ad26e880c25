import { describe, expect, it } from 'vitest'
import { readBlockYaml } from '../block-reader.ts'
import { parseYaml } from '../parse.ts'
import type { CollectorConfig, CollectorConfigInput } from './compose-collector-config.ts'
import { composeBootstrapConfig, composeCollectorConfig, composeLimits } from './compose-collector-config.ts'
import { formatGoDuration } from './fragments.ts'
import { completeSourceOrder, resourceAttributesOf } from './sources.ts'

const extension = {
  instanceUid: '01939b5c-0000-7000-8000-000000000007',
  port: 40_123,
  supervisorPid: 77,
  pollIntervalMs: 5000,
  reportsAvailableComponents: true,
}
const input: CollectorConfigInput = {
  sources: completeSourceOrder([]).sources.filter((source) => source.kind !== 'file'),
  acceptsRemoteConfig: true,
  remote: undefined,
  ownTelemetry: undefined,
  resourceAttributes: { 'service.name': 'otelcol' },
  extension,
  allowsNoPipelines: false,
}
const file = (path: string, body: string | undefined) => ({ kind: 'file', path, body }) as const
const remote = (...bodies: string[]) => bodies.map((body, index) => ({ name: `${index}.yaml`, contentType: '', body }))
const secret = 'hunter2-canary'

function composed(changes: Partial<CollectorConfigInput>): Extract<CollectorConfig, { kind: 'composed' }> {
  const result = composeCollectorConfig({ ...input, ...changes })
  if (result.kind !== 'composed') throw new Error(result.reason)
  return result
}

describe('composeCollectorConfig', () => {
  it('puts the special sources around the pipeline that does nothing until something was offered', () => {
    expect(composed({}).text).toBe(`exporters:
  nop: null
extensions:
  opamp:
    capabilities:
      reports_available_components: true
    instance_uid: 01939b5c-0000-7000-8000-000000000007
    ppid: 77
    ppid_poll_interval: 5s
    server:
      ws:
        endpoint: ws://127.0.0.1:40123/v1/opamp
        tls:
          insecure: true
receivers:
  nop: null
service:
  extensions:
    - opamp
  pipelines:
    traces:
      exporters:
        - nop
      receivers:
        - nop
  telemetry:
    logs:
      encoding: json
      error_output_paths:
        - stderr
      output_paths:
        - stdout
    resource:
      service.name: otelcol
`)
  })

  it('has no such pipeline for a Collector that needs none, one that takes no remote configuration, or once there is some', () => {
    expect(composed({ allowsNoPipelines: true }).merged['receivers']).toBeUndefined()
    expect(composed({ acceptsRemoteConfig: false }).merged['receivers']).toBeUndefined()
    expect(composed({ remote: remote('a: 1\n') }).merged['receivers']).toBeUndefined()
    expect(composed({ remote: [] }).merged['receivers']).toEqual({ nop: null })
  })

  it('tells an offer to run nothing from no offer', () => {
    expect(composed({ remote: [] }).runsNothing).toBe(true)
    expect(composed({ remote: undefined }).runsNothing).toBe(false)
    expect(composed({ remote: [], acceptsRemoteConfig: false }).runsNothing).toBe(false)
  })

  it('lets the later source win, in whatever order the sources stand', () => {
    const sources = [
      file('a', 'v: a\nservice: {telemetry: {logs: {encoding: console}}}\n'),
      ...input.sources,
      file('b', 'v: b\nextensions: {opamp: {ppid: 1}}\n'),
    ]
    const { merged } = composed({ sources, remote: remote('v: remote\n') })
    expect(merged).toMatchObject({ v: 'b', service: { telemetry: { logs: { encoding: 'json' } } }, extensions: { opamp: { ppid: 1 } } })
    expect(composed({ sources: sources.toReversed(), remote: remote('v: remote\n') }).merged).toMatchObject({
      v: 'a',
      service: { telemetry: { logs: { encoding: 'console' } } },
      extensions: { opamp: { ppid: 77 } },
    })
  })

  it('exports own telemetry where the offer says, headers and certificates included', () => {
    const { merged } = composed({
      ownTelemetry: {
        metrics: {
          endpoint: 'https://m/v1/metrics',
          headers: [
            ['a', '1'],
            ['b', 'x: "y" # \\z'],
            ['a', '2'],
          ],
        },
        logs: { endpoint: 'https://l/v1/logs', headers: [], tls: { caFile: '/ca.pem', certFile: '/c.pem', keyFile: '/k.pem' } },
        traces: { endpoint: '', headers: [['a', '1']] },
      },
    })
    expect(merged['service']).toMatchObject({
      telemetry: {
        metrics: {
          readers: [
            { periodic: { exporter: { otlp: { protocol: 'http/protobuf', endpoint: 'https://m/v1/metrics', headers: { a: '1,2', b: 'x: "y" # \\z' } } } } },
          ],
        },
        logs: {
          encoding: 'json',
          processors: [
            {
              batch: {
                exporter: {
                  otlp: {
                    protocol: 'http/protobuf',
                    endpoint: 'https://l/v1/logs',
                    certificate: '/ca.pem',
                    client_certificate: '/c.pem',
                    client_key: '/k.pem',
                  },
                },
              },
            },
          ],
        },
      },
    })
    expect(Object.keys((merged['service'] as { telemetry: object }).telemetry)).not.toContain('traces')
  })

  it('leaves out a local file that cannot be read and says so', () => {
    const { merged, findings } = composed({ sources: [file('/gone', undefined), file('/bad', `p: ${secret}\nx: [\n`), file('/good', 'a: 1\n')] })
    expect(merged['a']).toBe(1)
    expect(findings).toMatchObject([
      { severity: 'error', code: 'unreadable-file', file: '/gone' },
      { severity: 'error', code: 'yaml-syntax', file: '/bad', line: 3 },
    ])
  })

  it('is rejected as a whole for one offered file that cannot be read, with its place and none of its text', () => {
    const result = composeCollectorConfig({ ...input, remote: remote('a: 1\n', `p: ${secret}\nx: [\n`) })
    expect(result).toMatchObject({ kind: 'rejected', findings: [{ severity: 'error', file: '1.yaml' }] })
    expect(result).toMatchObject({ reason: expect.stringMatching(/^the configuration file "1\.yaml", line 3, column 1: /) })
    expect(JSON.stringify(result)).not.toContain(secret)
  })

  it('takes the first of several documents, as the supervisor does, and any name for an offered file', () => {
    expect(composed({ remote: [{ name: '/etc/../x', contentType: '', body: 'a: 1\n---\n[' }] }).merged).toMatchObject({ a: 1 })
  })

  it('gives equal text for sources that differ in order of keys, style and comments alone', () => {
    const one = composed({ remote: remote('b: {y: 1, x: [1, 2]}\na: 1\n') })
    const other = composed({ remote: remote('# c\na: 1\nb:\n  x:\n  - 1\n  - 2\n  y: 0x1\n') })
    expect(one.text).toBe(other.text)
  })

  it('refuses what is larger than its limits', () => {
    const limits = { maxFileBytes: 100, maxTotalBytes: 100, maxFiles: 2, maxDepth: 10, maxValues: 10, maxBreaks: 10, maxFindings: 5, maxFileNameLength: 10 }
    const kind = (...bodies: string[]) => composeCollectorConfig({ ...input, remote: remote(...bodies), limits }).kind
    expect(kind('a: 1\n', 'b: 1\n')).toBe('composed')
    expect(kind('a: 1\n', 'b: 1\n', 'c: 1\n')).toBe('rejected')
    expect(kind(`a: ${'x'.repeat(120)}\n`)).toBe('rejected')
    expect(kind(`a: ${'x'.repeat(60)}\n`, `b: ${'x'.repeat(60)}\n`)).toBe('rejected')
    expect(kind('a: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n')).toBe('rejected')
    expect(kind('\n'.repeat(20))).toBe('rejected')
  })
})

describe('composeBootstrapConfig', () => {
  it('is the extension on top of the pipeline that does nothing, where one is needed', () => {
    expect(composeBootstrapConfig(extension, { allowsNoPipelines: false }).merged).toMatchObject({
      receivers: { nop: null },
      service: { extensions: ['opamp'] },
    })
    expect(Object.keys(composeBootstrapConfig(extension, { allowsNoPipelines: true }).merged)).toEqual(['extensions', 'service'])
  })
})

describe('completeSourceOrder', () => {
  const names = (...entries: string[]) => completeSourceOrder(entries).sources.map((source) => (source.kind === 'file' ? source.path : source.kind))

  it('adds the special sources that are missing at their usual places', () => {
    expect(names('a', 'b')).toEqual(['own-telemetry', 'a', 'b', 'opamp-extension', 'remote'])
    expect(names('$REMOTE_CONFIG', 'a')).toEqual(['own-telemetry', 'remote', 'a', 'opamp-extension'])
    expect(names('a', '$OPAMP_EXTENSION_CONFIG', '$OWN_TELEMETRY_CONFIG', 'b')).toEqual(['a', 'opamp-extension', 'own-telemetry', 'b', 'remote'])
  })

  it('names what looks special and is not', () => {
    expect(completeSourceOrder(['$REMOTE', 'a']).unknown).toEqual(['$REMOTE'])
  })
})

describe('resourceAttributesOf', () => {
  it('takes texts, and the non-identifying attribute where both have one [AD-02] [GL-02] [OT-13]', () => {
    const attribute = (key: string, value: unknown) => ({ key, value: { value: { case: typeof value === 'string' ? 'stringValue' : 'intValue', value } } })
    const description = {
      identifyingAttributes: [attribute('service.name', 'a'), attribute('host.name', 'lower')],
      nonIdentifyingAttributes: [attribute('host.name', 'higher'), attribute('n', 1n), { key: 'none' }],
    }
    expect({ ...resourceAttributesOf(description) }).toEqual({ 'service.name': 'a', 'host.name': 'higher', n: '', none: '' })
  })
})

describe('formatGoDuration', () => {
  it('writes durations as Go does', () => {
    expect([0, 500, 5000, 90_500, 3_600_000, 3_605_000, 90_000_000].map(formatGoDuration)).toEqual([
      '0s',
      '500ms',
      '5s',
      '1m30.5s',
      '1h0m0s',
      '1h0m5s',
      '25h0m0s',
    ])
  })
})

it('composes a large configuration, which the quick reader reads as the full parser would', () => {
  const component = (n: number) => `  # application ${n}
  filelog/${n}:
    include: [ /var/log/app-${n}/*.log, "/var/log/other/${n}.log" ]
    start_at: end # only new lines
    operators:
      - type: regex_parser
        regex: "^(?P<time>\\\\d+) (?P<message>.*)$"
        timestamp: {parse_from: attributes.time, layout: '%Y'}
    script: |
      set(x, 1)
      set(y, "2") where z
`
  const body = `receivers:\n${Array.from({ length: 1_000 }, (_, n) => component(n)).join('')}`
  expect(body.length).toBeGreaterThan(300_000)
  expect(readBlockYaml(body, composeLimits)).toEqual(parseYaml(body, '', composeLimits).document)
  expect(parseYaml(composed({ remote: remote(body) }).text, '', composeLimits).findings).toEqual([])
})
