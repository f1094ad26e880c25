/** Where the supervisor's own telemetry goes by its file. */
import { describe, expect, it } from 'vitest'
import { least, load, said } from './test-host.ts'

const base = `${least}capabilities: {accepts_remote_config: true, reports_remote_config: true}\n`
const files = { '/ca.pem': 'CA' }
const exportOf = (telemetry: string) => load(`${base}telemetry: ${telemetry}\n`, { files }).config.telemetry.export
const saidOf = (telemetry: string) => said(`${base}telemetry: ${telemetry}\n`, { files })

describe('telemetry', () => {
  it('sends each signal to its OTLP over HTTP receiver, at the path of the signal where there is none', () => {
    expect(
      exportOf(
        '{logs: {processors: [{simple: {exporter: {otlp: {protocol: http/protobuf, endpoint: "http://backend:4318"}}}}]}, metrics: {readers: [{periodic: {exporter: {otlp: {endpoint: "https://backend/my/metrics", headers: [{name: x, value: y}], certificate: /ca.pem}}}}]}}',
      ),
    ).toEqual({
      logs: { endpoint: 'http://backend:4318/v1/logs', headers: [] },
      metrics: { endpoint: 'https://backend/my/metrics', headers: [['x', 'y']], tls: { ca: 'CA' } },
    })
  })

  it('takes resource attributes as a map or as newer versions have them', () => {
    const resourceOf = (resource: string) => load(`${base}telemetry: {resource: ${resource}}\n`).config.telemetry.resource
    expect(resourceOf('{service.namespace: demo, host.name: null}')).toEqual({ 'service.namespace': 'demo' })
    expect(resourceOf('{attributes: [{name: a, value: b}, {name: n, value: 1}]}')).toEqual({ a: 'b', n: '1' })
    expect(saidOf('{resource: {attributes: [], detectors: [env]}}')).toEqual([
      '6:40: note: telemetry.resource.detectors: has no effect: attributes are taken, nothing is detected',
    ])
  })

  it.each([
    [
      '{logs: {processors: [{batch: {exporter: {console: {}}}}]}}',
      '6:33: note: telemetry.logs.processors[0]: has no effect: the supervisor sends OTLP over HTTP alone',
    ],
    [
      '{metrics: {readers: [{periodic: {exporter: {otlp: {protocol: grpc, endpoint: "http://x:4317"}}}}]}}',
      '6:33: note: telemetry.metrics.readers[0]: has no effect: the supervisor sends OTLP over HTTP, not over gRPC',
    ],
    [
      '{metrics: {readers: [{pull: {exporter: {prometheus: {}}}}]}}',
      '6:33: note: telemetry.metrics.readers[0]: has no effect: the supervisor sends OTLP over HTTP alone',
    ],
    [
      '{logs: {processors: [{batch: {exporter: {otlp: {endpoint: "backend:4318"}}}}]}}',
      '6:33: error: telemetry.logs.processors[0]: needs an endpoint that is an http or https address',
    ],
    [
      '{logs: {processors: [{batch: {exporter: {otlp: {endpoint: "http://a"}}}}, {batch: {exporter: {otlp: {endpoint: "http://b"}}}}]}}',
      '6:20: note: telemetry.logs.processors: only the first one has an effect: the supervisor sends to one receiver',
    ],
    ['{traces: {level: detailed}}', '6:22: note: telemetry.traces.level: has no effect: the supervisor has one set of spans'],
    ['{logs: {processors: batch}}', '6:20: error: telemetry.logs.processors: takes a list'],
    ['{resource: text}', '6:13: error: telemetry.resource: takes a map of attributes'],
    [
      '{logs: {processors: [{batch: {exporter: {otlp: {endpoint: "http://a", certificate: /none}}}}]}}',
      '6:33: error: telemetry.logs.processors[0]: cannot read /none: there is no such file',
    ],
  ])('%j is remarked on', (telemetry, sentence) => {
    expect(saidOf(telemetry)).toEqual([sentence])
  })
})
